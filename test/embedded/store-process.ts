import { start } from '../../embedded/index.js'

// A process that holds a store until it is told to end or to exit: `node store-process.ts <directory>`. Run by tests, by fork().
const keepAlive = setInterval(() => {}, 1000)
const [path = ''] = process.argv.slice(2)

try {
  const store = await start({ path })
  process.once('message', async message => {
    // in the middle of whatever is in work
    if (message === 'exit') process.exit(3)
    await store.close()
    process.disconnect()
    clearInterval(keepAlive)
  })
  process.send?.({ url: store.url })
} catch (error) {
  process.send?.({ error: String(error) })
  process.disconnect()
  clearInterval(keepAlive)
}
