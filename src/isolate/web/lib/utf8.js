// UTF-8 as URLs need it, without a TextEncoder.
import { utf8fromStringLoose, utf8toStringLoose } from '@exodus/bytes/utf8.js'

export const utf8Encode = utf8fromStringLoose
export const utf8DecodeWithoutBOM = utf8toStringLoose
