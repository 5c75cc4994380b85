// The ceiling: a Fastify route that answers a student without asking any database.
import Fastify from 'fastify'

const app = Fastify({ logger: false })
const student = JSON.stringify({
  id: '66b3f0a1c2d4e5f601234567',
  name: 'Jane Doe',
  email: 'jdoe@example.com',
  course: 'Experiments, Science, and Fashion in Nanophotonics',
  gpa: 3
})

app.get('/students/:id', (request, reply) => {
  reply.type('application/json').send(student)
})

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
