/** A file that the docs page loads. */
interface ThemeFile {
  filename: string
  content: string
}

/** The looks of the docs page, as `@fastify/swagger-ui` takes them. */
export interface DocsTheme {
  /** In place of ours. */
  title?: string | undefined
  /** Loaded after ours. */
  css?: readonly ThemeFile[] | undefined
  /** Loaded after ours. */
  js?: readonly ThemeFile[] | undefined
  /** In place of ours. */
  favicon?: readonly { filename: string, rel: string, type: string, sizes: string, content: string | Buffer }[] | undefined
}

export interface DocsOptions {
  /** Whether there is the page `/docs`, default true; without it there is `/openapi.json` alone. */
  ui?: boolean | undefined
  theme?: DocsTheme | undefined
  /** Whether the OpenAPI document of the host has the routes too, default true. */
  inHost?: boolean | undefined
}
