// URL and URLSearchParams.
import { implForWrapper } from 'whatwg-url/lib/utils.js'
import { URLSearchParams as paramsMaker, URL as urlMaker } from 'whatwg-url/webidl2js-wrapper.js'

const owner = { Array, Object, Promise, String, TypeError }
urlMaker.install(owner, ['Window'])
paramsMaker.install(owner, ['Window'])

export const { URL, URLSearchParams } = owner

/** The iterators of the package copy all pairs at every step. */
const pairsOf = (params) => implForWrapper(params)._list
const iterators = {
  *entries() {
    for (let index = 0; index < pairsOf(this).length; index += 1) yield [...pairsOf(this)[index]]
  },
  *keys() {
    for (let index = 0; index < pairsOf(this).length; index += 1) yield pairsOf(this)[index][0]
  },
  *values() {
    for (let index = 0; index < pairsOf(this).length; index += 1) yield pairsOf(this)[index][1]
  },
}
for (const [name, value] of Object.entries(iterators))
  Object.defineProperty(URLSearchParams.prototype, name, { value })
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, { value: iterators.entries })
