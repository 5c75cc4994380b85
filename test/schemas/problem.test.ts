import t from 'tap'
import { problem } from '../../schemas/problem.js'

t.test('the title is the phrase of the status, the instance the path without its query', async (t) => {
  t.strictSame(problem(404, 'gone', '/a/b?token=x'), {
    type: 'about:blank', title: 'Not Found', status: 404, detail: 'gone', instance: '/a/b'
  })
})

t.test('a status without a phrase has a title all the same', async (t) => {
  t.equal(problem(499, 'x', '/').title, 'Error')
})
