import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import t from 'tap'
import { Gate } from '../../embedded/gate.js'

t.test('one commit after the other may pass, until the gate is shut', async (t) => {
  const gate = new Gate()
  t.ok(gate.enter())
  gate.leave()
  t.ok(gate.enter())
  gate.leave()
  gate.shut()
  t.notOk(gate.enter())
  gate.shut()
  t.notOk(gate.enter(), 'shut stays shut')
})

t.test('shutting waits for the commit that another thread has under way', async (t) => {
  const gate = new Gate()
  t.ok(gate.enter())
  // what leave() does, by a thread that has only the memory
  const code = `const state = new Int32Array(require('node:worker_threads').workerData)
    setTimeout(() => { Atomics.store(state, 0, 0); Atomics.notify(state, 0) }, 100)`
  const worker = new Worker(code, { eval: true, workerData: gate.memory })
  await once(worker, 'online')
  const started = performance.now()
  gate.shut()
  t.ok(performance.now() - started > 50)
  t.notOk(gate.enter())
  await once(worker, 'exit')
})
