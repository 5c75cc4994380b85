import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { askForBody } from '../../../routes/resource/ask-for-body.js'

t.test('a body is asked for where a client waits for that, and no other one has asked', async (t) => {
  const asks = (headers: object, most?: number) => {
    let asked = 0
    askForBody(100, most)({ headers } as FastifyRequest, { raw: { writeContinue: () => { asked++ } } } as FastifyReply, () => {})
    return asked
  }
  const expect = '100-continue'
  t.equal(asks({ expect, 'content-length': '101' }), 1)
  t.equal(asks({ expect, 'content-length': '100' }), 0, 'the server has asked for it')
  t.equal(asks({ expect }), 0, 'as for one of unknown length')
  t.equal(asks({ 'content-length': '101' }), 0, 'nobody waits')
  t.equal(asks({ expect, 'content-length': '101' }, 200), 1)
  t.equal(asks({ expect, 'content-length': '201' }, 200), 0, 'too large')
})
