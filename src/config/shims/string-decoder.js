// The module `node:string_decoder`, of the package `string_decoder`.
import packaged from 'string_decoder/'

export const { StringDecoder } = packaged
export default packaged
