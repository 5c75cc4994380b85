/** A base path: segments without anything that a header, a script or a redirect could take for something else. */
export const BASE_PATH = '^(/[A-Za-z0-9._~-]+)+$'
