/** The text of bootstrap.js, read once. It is data here: it runs only inside isolates. */
import { readFileSync } from 'node:fs'

const definition = readFileSync(new URL('./bootstrap.js', import.meta.url), 'utf8')

/** Body of a closure whose arguments are those of `bootstrap`. */
export const bootstrapText = `'use strict'\n${definition}\nreturn bootstrap($0, $1, $2, $3)`
