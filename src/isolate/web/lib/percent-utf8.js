// Percent-encoding after encoding, for the one encoding that URLs of user space have.
import { percentEncoder } from '@exodus/bytes/fallback/percent.js'
import { utf8fromStringLoose } from '@exodus/bytes/utf8.js'

export const percentEncodeAfterEncoding = (_encoding, input, percentEncodeSet, spaceAsPlus = false) =>
  percentEncoder(percentEncodeSet, spaceAsPlus)(utf8fromStringLoose(input))
