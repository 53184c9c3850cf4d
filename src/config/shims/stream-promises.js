// The module `node:stream/promises`, of the package `readable-stream`.
import packaged from 'readable-stream'

export const { finished, pipeline } = packaged.promises
export default packaged.promises
