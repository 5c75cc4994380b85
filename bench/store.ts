// An embedded store in a process of its own, until it is told to end: node dist/bench/store.js DIRECTORY
import { start } from '../embedded/index.js'

const [path = ''] = process.argv.slice(2)
const store = await start({ path })
// the store alone keeps no process alive
const keepAlive = setInterval(() => {}, 60_000)
process.once('SIGTERM', async () => {
  await store.close()
  clearInterval(keepAlive)
})
console.log(store.url)
