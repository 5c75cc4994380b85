import t from 'tap'
import '../../build.js' // which gives Node 20.19 the method
import { knowsQuery } from '../../../lib/http/query-method.js'

t.test('QUERY is there where both Node and the host\'s Fastify know it', async (t) => {
  t.equal(knowsQuery({ supportedMethods: ['GET', 'QUERY'] }), true)
  t.equal(knowsQuery({ supportedMethods: ['GET'] }), false, 'an older Fastify')
})
