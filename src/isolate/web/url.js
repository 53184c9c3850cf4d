// URL and URLSearchParams.
import { URL as urlMaker, URLSearchParams as paramsMaker } from 'whatwg-url/webidl2js-wrapper.js'

const owner = { Array, Object, Promise, String, TypeError }
urlMaker.install(owner, ['Window'])
paramsMaker.install(owner, ['Window'])

export const { URL, URLSearchParams } = owner
