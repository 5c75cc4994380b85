// Fastify and @fastify/mongodb the plain way: schemas for body and answer, one operation per request.
import fastifyMongodb from '@fastify/mongodb'
import Fastify from 'fastify'

const { MONGODB_URL, MONGODB_DATABASE, PORT } = process.env

const fields = {
  name: { type: 'string', minLength: 1 },
  email: { type: 'string', format: 'email' },
  course: { type: 'string', minLength: 1 },
  gpa: { type: 'number', minimum: 0, maximum: 4 }
}
const student = {
  type: 'object',
  properties: { id: { type: 'string' }, name: { type: 'string' }, email: { type: 'string' }, course: { type: 'string' }, gpa: { type: 'number' } }
}
const studentList = { type: 'object', properties: { students: { type: 'array', items: student } } }
const newStudent = { type: 'object', required: ['name', 'email', 'course', 'gpa'], properties: fields, additionalProperties: false }
const changes = { type: 'object', properties: fields, additionalProperties: false, minProperties: 1 }
const params = { type: 'object', properties: { id: { type: 'string', pattern: '^[0-9a-fA-F]{24}$' } } }

const app = Fastify({ logger: false })

await app.register(fastifyMongodb, { url: MONGODB_URL, database: MONGODB_DATABASE })
const students = app.mongo.db.collection('students')
const { ObjectId } = app.mongo

app.setErrorHandler((error, request, reply) => {
  reply.code(error.validation ? 422 : error.statusCode ?? 500).send({ detail: error.message })
})

app.get('/students/', { schema: { response: { 200: studentList } } }, async () => {
  const documents = await students.find().limit(1000).toArray()
  return { students: documents.map(shown) }
})

app.post('/students/', { schema: { body: newStudent, response: { 201: student } } }, async (request, reply) => {
  const { insertedId } = await students.insertOne(request.body)
  reply.code(201)
  return { ...request.body, id: insertedId.toHexString() }
})

app.get('/students/:id', { schema: { params, response: { 200: student } } }, async (request, reply) => {
  const document = await students.findOne({ _id: new ObjectId(request.params.id) })
  return document ? shown(document) : notFound(request, reply)
})

app.put('/students/:id', { schema: { params, body: changes, response: { 200: student } } }, async (request, reply) => {
  const filter = { _id: new ObjectId(request.params.id) }
  const document = await students.findOneAndUpdate(filter, { $set: request.body }, { returnDocument: 'after' })
  return document ? shown(document) : notFound(request, reply)
})

app.delete('/students/:id', { schema: { params } }, async (request, reply) => {
  const { deletedCount } = await students.deleteOne({ _id: new ObjectId(request.params.id) })
  if (deletedCount === 0) return notFound(request, reply)
  reply.code(204)
})

await app.listen({ port: Number(PORT), host: '127.0.0.1' })

function shown ({ _id, ...document }) {
  return { id: _id.toHexString(), ...document }
}

function notFound (request, reply) {
  reply.code(404)
  return { detail: `Student ${request.params.id} not found` }
}
