import { load } from './suite.js'

await load('workers')
