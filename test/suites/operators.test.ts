import { load } from './suite.js'

await load('operators')
