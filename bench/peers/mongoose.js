// Express and Mongoose: a model with validators, lean reads, an error handler at the end.
import express from 'express'
import mongoose from 'mongoose'

const { MONGODB_URL, MONGODB_DATABASE, PORT } = process.env

const studentSchema = new mongoose.Schema({
  name: { type: String, required: true },
  email: { type: String, required: true, match: /^[^\s@]+@[^\s@]+\.[^\s@]+$/ },
  course: { type: String, required: true },
  gpa: { type: Number, required: true, min: 0, max: 4 }
}, { versionKey: false })
const Student = mongoose.model('Student', studentSchema)

await mongoose.connect(MONGODB_URL, { dbName: MONGODB_DATABASE })

const app = express()
app.disable('x-powered-by')
app.disable('etag') // nobody else here hashes what they answer
app.use(express.json())

app.get('/students/', async (req, res) => {
  const { 'gpa.gte': $gte, 'gpa.lt': $lt, sort, skip = 0, limit = 1000 } = req.query
  const query = Student.find($gte === undefined ? {} : { gpa: { $gte, $lt } })
  if (sort) query.sort(`${sort} -_id`)
  const students = await query.skip(skip).limit(limit).lean()
  res.json({ students: students.map(shown) })
})

app.post('/students/', async (req, res) => {
  const student = await Student.create(req.body)
  res.status(201).json(shown(student))
})

app.get('/students/:id', async (req, res) => {
  const student = await Student.findById(req.params.id).lean()
  if (!student) return notFound(req, res)
  res.json(shown(student))
})

app.put('/students/:id', async (req, res) => {
  const options = { returnDocument: 'after', runValidators: true }
  const student = await Student.findByIdAndUpdate(req.params.id, { $set: req.body }, options).lean()
  if (!student) return notFound(req, res)
  res.json(shown(student))
})

app.delete('/students/:id', async (req, res) => {
  const { deletedCount } = await Student.deleteOne({ _id: req.params.id })
  if (deletedCount === 0) return notFound(req, res)
  res.status(204).end()
})

app.use((error, req, res, next) => {
  const isInvalid = error instanceof mongoose.Error.ValidationError || error instanceof mongoose.Error.CastError
  res.status(isInvalid ? 422 : error.status ?? 500).json({ detail: error.message })
})

const server = app.listen(Number(PORT), '127.0.0.1')
server.keepAliveTimeout = 72_000

function shown ({ _id, name, email, course, gpa }) {
  return { id: _id.toString(), name, email, course, gpa }
}

function notFound (req, res) {
  res.status(404).json({ detail: `Student ${req.params.id} not found` })
}
