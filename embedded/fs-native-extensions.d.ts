/** What is used of the package, which has no types. */
declare module 'fs-native-extensions' {
  const extensions: {
    /** Locks bytes of an open file for as long as it is open; false where another open file has locked them. Throws the system's error. */
    tryLock (descriptor: number, offset: number, length: number, options: { shared: boolean }): boolean
  }
  export default extensions
}
