// URLPattern.
import { URLPattern } from 'urlpattern-polyfill/urlpattern'

export { URLPattern }
