import { once } from 'node:events'
import { connect } from 'node:net'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { build } from '../../build.js'
import { janeDoe, unknownId } from '../../samples.js'

/** As many as are asked at once. */
const numbers = Array.from({ length: 100 }, (_, n) => n)

t.test('of many requests at once each has its own answer', async (t) => {
  const { inject, create, students } = await build(t)
  const created = await Promise.all(numbers.map((n) => create({ name: `Student ${n}` })))
  t.strictSame(created.map(({ name }) => name), numbers.map((n) => `Student ${n}`))
  t.equal(await students.countDocuments({}), numbers.length)

  const paths = created.flatMap(({ id }) => [`/students/${id}`, `/students/${id.toUpperCase()}`, `/students/${unknownId}`])
  const [lists, shown] = await Promise.all([
    Promise.all(numbers.map(() => inject('GET', '/students/'))),
    Promise.all(paths.map((path) => inject('GET', path)))
  ])
  t.strictSame(
    shown.map((answer) => answer.statusCode === 200 ? answer.json() : answer.statusCode),
    created.flatMap((student) => [student, student, 404])
  )
  const byId = (students: { id: string }[]) => students.toSorted((a, b) => a.id < b.id ? -1 : 1)
  for (const { body } of lists) t.equal(body, lists[0]?.body)
  t.strictSame(byId(lists[0]?.json().students), byId(created))
})

t.test('what another client writes shows in the next answer, and so does what was written here', async (t) => {
  const { inject, create, students } = await build(t)
  const student = await create()
  const _id = new ObjectId(String(student.id))
  for (const n of numbers.slice(0, 20)) {
    await students.findOneAndUpdate({ _id }, { $set: { course: `Course ${n}` } })
    const [shown, list] = await Promise.all([inject('GET', `/students/${student.id}`), inject('GET', '/students')])
    t.equal(shown.json().course, `Course ${n}`)
    t.equal(list.json().students[0].course, `Course ${n}`)
  }
  await inject('DELETE', `/students/${student.id}`)
  t.equal((await inject('GET', `/students/${student.id}`)).statusCode, 404)
})

t.test('a client that goes away takes nobody with it', async (t) => {
  const { app, create } = await build(t)
  const { id } = await create()
  const url = new URL(await app.listen())
  const sockets = numbers.map(() => connect(Number(url.port), url.hostname))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const answers = numbers.map(async (n) => {
    sockets[n]?.write(`GET /students/${id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    if (n % 2 === 0) sockets[n]?.destroy()
    else return (await fetch(`${url}students/${id}`)).status
  })
  for (const status of (await Promise.all(answers)).filter(Boolean)) t.equal(status, 200)
  for (const socket of sockets) socket.destroy()
})

// the embedded store has no further indexes
if (process.env.MONGODB_URL) {
  t.test('of many creates at once a unique index refuses only those that it has to', async (t) => {
    const { inject, students } = await build(t)
    await students.createIndex({ email: 1 }, { unique: true })
    const answers = await Promise.all(numbers.map((n) => inject('POST', '/students/', { ...janeDoe, email: `s${n >> 1}@example.com` })))
    const statuses = answers.map(({ statusCode }) => statusCode)
    t.strictSame(numbers.slice(0, 50).map((n) => statuses.slice(2 * n, 2 * n + 2).sort()), Array(50).fill([201, 409]))
    for (const answer of answers.filter(({ statusCode }) => statusCode === 409)) {
      t.equal(answer.json().detail, 'A record with this email already exists.')
    }
    t.equal(await students.countDocuments({}), 50)
  })

  t.test('of many creates at once a validator refuses only those that it has to', async (t) => {
    const { app, inject, students } = await build(t)
    await students.db.createCollection('students', { validator: { gpa: { $gte: 2 } } })
    await app.ready()
    const answers = await Promise.all(numbers.map((n) => inject('POST', '/students/', { ...janeDoe, gpa: n % 4 })))
    t.strictSame(answers.map(({ statusCode }) => statusCode), numbers.map((n) => n % 4 < 2 ? 422 : 201))
    t.equal(await students.countDocuments({}), 50)
  })
}
