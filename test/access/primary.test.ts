import type { Document } from 'mongodb'
import t from 'tap'
import Fastify from 'fastify'
import studentCourseApi from '../../app.js'
import { fakeMongodb, hello } from '../fake-mongodb.js'
import { key } from './secured.js'

t.test('users, tokens and counters are read from the primary whatever the URL says, students as it says', async (t) => {
  const asked: Record<string, string[]> = { primary: [], secondary: [] }
  const hosts: string[] = []
  for (const role of ['primary', 'secondary'] as const) {
    hosts.push(await fakeMongodb(t, (command) => {
      const isPrimary = role === 'primary'
      if (!command.find && !command.findAndModify) {
        return { ...hello, isWritablePrimary: isPrimary, secondary: !isPrimary, setName: 'rs', hosts, primary: hosts[0], me: hosts[isPrimary ? 0 : 1], setVersion: 1 }
      }
      asked[role]?.push(`${Object.keys(command)[0]} ${command.find ?? command.findAndModify}`)
      return answer(command)
    }))
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(studentCourseApi, { url: `mongodb://${hosts.join()}/?replicaSet=rs&readPreference=secondary`, auth: { keys: [key] } })
  const form = (parameters: Record<string, string>) => app.inject({
    method: 'POST', url: '/token', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams(parameters).toString()
  })
  t.equal((await form({ grant_type: 'password', username: 'alice', password: 'wrong horse' })).json().error, 'invalid_grant')
  t.equal((await form({ grant_type: 'refresh_token', refresh_token: `${'a'.repeat(22)}.${'b'.repeat(43)}` })).json().error, 'invalid_grant')
  t.strictSame(asked.secondary, [])
  t.strictSame([...new Set(asked.primary)].sort(), ['find refresh_tokens', 'find users', 'findAndModify login_counters'])

  const open = Fastify()
  t.teardown(() => open.close())
  await open.register(studentCourseApi, { url: `mongodb://${hosts.join()}/?replicaSet=rs&readPreference=secondary` })
  t.equal((await open.inject('/students/')).statusCode, 200)
  t.equal((await open.inject('/users/alice')).statusCode, 404)
  t.strictSame(asked.secondary, ['find students'], 'the option does count where nobody is let in by it')
})

function answer (command: Document): Document {
  if (command.findAndModify) return { ok: 1, value: { _id: 'x', count: 1 }, lastErrorObject: { n: 1, updatedExisting: true } }
  return { ok: 1, cursor: { id: 0n, ns: `college.${command.find}`, firstBatch: [] } }
}
