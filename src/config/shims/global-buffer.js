// `Buffer` for files that use it without asking whether it is there.
import { Buffer } from './buffer.js'

export { Buffer }
