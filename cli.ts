#!/usr/bin/env node
import { main } from './cli/main.js'

if (process.argv.length === 2) await import('./server.js')
else process.exitCode = await main(process.argv.slice(2), process)
