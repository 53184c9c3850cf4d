// `process` for files that use it without asking whether it is there.
import process from './process.js'

export { process }
