// An embedded store in a process of its own, until it is told to end: node dist/store.js DIRECTORY
import { start } from '../../dist/embedded/index.js'

const store = await start({ path: String(process.argv[2]) })
setInterval(() => {}, 60_000) // the store alone keeps no process alive
process.once('SIGTERM', () => store.close().then(() => process.exit()))
