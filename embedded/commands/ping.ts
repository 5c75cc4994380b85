import { ok, type Run } from './command.js'

export const ping: Run = () => ok()
