// What a module of Node.js has and user space does not: there, so that a package can name it, and an error when it is used.

/**
 * @param what such as `fs.watch`
 * @param instead what would serve
 */
export const absent = (what, instead = 'run it with isolation `host`, or offer it as a tool') =>
  function absent() {
    const error = new Error(`ENOSYS: \`${what}\`: user space does not have it; ${instead}`)
    error.code = 'ENOSYS'
    throw error
  }
