// URL and URLSearchParams.
import { URLSearchParams as paramsMaker, URL as urlMaker } from 'whatwg-url/webidl2js-wrapper.js'

const owner = { Array, Object, Promise, String, TypeError }
urlMaker.install(owner, ['Window'])
paramsMaker.install(owner, ['Window'])

export const { URL, URLSearchParams } = owner
