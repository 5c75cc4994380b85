/** That of package.json, which a bundle of a host's does not have beside it; a test holds the two together. */
export const version = '1.0.0'
