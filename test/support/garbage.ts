/** The garbage collector on demand: what is left after it is held by something. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects all garbage at once. */
export const collectGarbage: () => void = runInNewContext('gc')
