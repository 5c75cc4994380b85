// The floor: node:http and the official driver, one operation per request, nothing between.
import { createServer } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MongoClient, ObjectId } from 'mongodb'

const { MONGODB_URL, MONGODB_DATABASE, PORT } = process.env
const client = await MongoClient.connect(MONGODB_URL)
const students = client.db(MONGODB_DATABASE).collection('students')

const server = createServer((request, response) => {
  handle(request, response).catch((error) => send(response, error.status ?? 500, { detail: error.message }))
})
server.keepAliveTimeout = 72_000
server.listen(Number(PORT), '127.0.0.1')

async function handle (request, response) {
  const [path, query] = request.url.split('?')
  const [, collection, id] = path.split('/')
  if (collection !== 'students') throw failure(404, 'There is nothing at this path')
  if (id === 'export') return pipeline(students.find().stream(), toLines(), response)
  if (!id) {
    if (request.method === 'GET') return send(response, 200, { students: await list(new URLSearchParams(query)) })
    if (request.method === 'POST') return send(response, 201, await create(await readJson(request)))
    throw failure(405, 'Method not allowed')
  }
  if (!ObjectId.isValid(id)) throw failure(422, 'The id is not valid')
  const _id = new ObjectId(id)
  if (request.method === 'GET') return send(response, 200, shown(await students.findOne({ _id }), id))
  if (request.method === 'PUT') return send(response, 200, await update(_id, await readJson(request)))
  if (request.method === 'DELETE') return remove(response, _id)
  throw failure(405, 'Method not allowed')
}

const toLines = () => new Transform({ writableObjectMode: true, transform: (document, _, done) => done(null, `${JSON.stringify(shown(document))}\n`) })

async function list (query) {
  const order = query.has('sort') ? { sort: { gpa: -1, _id: -1 } } : {}
  const documents = await students.find(filterOf(query), { ...order, limit: Number(query.get('limit') ?? 1000) }).toArray()
  return documents.map((document) => shown(document))
}

// after a student: the rest of its grade, and what is below; with its range in each of the two, an index { gpa: 1, _id: 1 } serves both
function filterOf (query) {
  if (!query.has('gpa.gte')) return {}
  const [$gte, $lt] = [Number(query.get('gpa.gte')), Number(query.get('gpa.lt'))]
  if (!query.has('after')) return { gpa: { $gte, $lt } }
  const [grade, id] = query.get('after').split(',')
  const gpa = Number(grade)
  return { $or: [{ gpa: { $gte, $lt: gpa } }, { gpa, _id: { $lt: new ObjectId(id) } }] }
}

async function create (body) {
  if (!isStudent(body)) throw failure(422, 'The body is not valid')
  const { name, email, course, gpa } = body
  const document = { name, email, course, gpa }
  await students.insertOne(document)
  return shown(document)
}

async function update (_id, body) {
  const changes = Object.fromEntries(Object.entries(body).filter(([name, value]) => name in checks && value !== null))
  if (!Object.entries(changes).every(([name, value]) => checks[name](value))) throw failure(422, 'The body is not valid')
  return shown(await students.findOneAndUpdate({ _id }, { $set: changes }, { returnDocument: 'after' }), _id)
}

async function remove (response, _id) {
  const { deletedCount } = await students.deleteOne({ _id })
  if (deletedCount === 0) throw failure(404, `Student ${_id} not found`)
  response.writeHead(204).end()
}

const isText = (value) => typeof value === 'string' && value.length > 0
const checks = {
  name: isText,
  email: (value) => isText(value) && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value),
  course: isText,
  gpa: (value) => typeof value === 'number' && value >= 0 && value <= 4
}

function isStudent (body) {
  return Object.entries(checks).every(([name, check]) => check(body[name]))
}

function shown (document, id) {
  if (!document) throw failure(404, `Student ${id} not found`)
  const { _id, name, email, course, gpa } = document
  return { id: _id.toHexString(), name, email, course, gpa }
}

async function readJson (request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw failure(400, 'The body is not JSON')
  }
}

function send (response, status, body) {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

function failure (status, detail) {
  return Object.assign(new Error(detail), { status })
}
