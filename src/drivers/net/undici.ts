/** undici for the kernel alone: loading it does not put it under the application's own `fetch`. */
// Evaluated first, to see what was there before.
import './application-fetch.ts'
import { Client, errors } from 'undici'
import { giveFetchBack } from './application-fetch.ts'

giveFetchBack()

export { Client, errors }
