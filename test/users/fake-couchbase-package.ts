/** Stands for the package couchbase, to be loaded in its place. */
export default { connect: async () => { throw new Error('not in this test') } }
