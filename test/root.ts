import { fileURLToPath } from 'node:url'

/** The folder of the project: tests run as they are built, in its `dist/test`. */
export const root = fileURLToPath(new URL('../../', import.meta.url))
