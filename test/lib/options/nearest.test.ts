import t from 'tap'
import { nearest } from '../../../lib/options/nearest.js'

t.test('the nearest name is the one with the fewest letters changed, if not too many', async (t) => {
  const names = ['MONGODB_URL', 'MONGODB_TIMEOUT_MS', 'PORT']
  t.equal(nearest('MONGO_URL', names), 'MONGODB_URL')
  t.equal(nearest('MONGODB_URI', names), 'MONGODB_URL')
  t.equal(nearest('port', names), 'PORT')
  t.equal(nearest('PATH', names), undefined)
  t.equal(nearest('SOMETHING_ELSE', names), undefined)
  t.equal(nearest('MONGODB_ULR', ['MONGODB_UR', ...names]), 'MONGODB_URL', 'two letters that changed places')
  t.equal(nearest('x', []), undefined)
})
