// Timers that only Node.js has, for files that use them.
import { clearImmediate, setImmediate } from './timers.js'

export { clearImmediate, setImmediate }
