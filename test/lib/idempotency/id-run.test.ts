import { ObjectId } from 'mongodb'
import t from 'tap'
import { IdRun } from '../../../lib/idempotency/id-run.js'

t.test('a run gives each record an id of its own, the same each time', async (t) => {
  const run = IdRun.begin()
  const ids = Array.from({ length: 1000 }, (_, n) => run.at(n))
  t.equal(new Set(ids).size, 1000)
  t.strictSame(ids, [...ids].sort(), 'in the order of the records')
  const again = new IdRun(new ObjectId(run.first.toHexString()))
  t.strictSame(ids, Array.from({ length: 1000 }, (_, n) => again.at(n)))
})

t.test('two runs have no id in common, and begin with the time', async (t) => {
  const [one, other] = [IdRun.begin(), IdRun.begin()]
  t.not(one.at(0).slice(8, 18), other.at(0).slice(8, 18))
  t.ok(Math.abs(one.first.getTimestamp().getTime() - Date.now()) < 5_000)
})

t.test('beyond the count of an ObjectId the ids go on with the next second', async (t) => {
  const run = new IdRun(new ObjectId('66b3f0a1c2d4e5f601000000'))
  t.equal(run.at(0xff_ffff), '66b3f0a1c2d4e5f601ffffff')
  t.equal(run.at(0x100_0000), '66b3f0a2c2d4e5f601000000')
  t.equal(run.at(0x300_0001), '66b3f0a4c2d4e5f601000001')
})
