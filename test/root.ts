import { fileURLToPath } from 'node:url'

/** What is built: tests run from its `test/`. It is `dist/`, or a copy of that beside it. */
export const built = fileURLToPath(new URL('../', import.meta.url))

/** The folder of the project. */
export const root = fileURLToPath(new URL('../../', import.meta.url))
