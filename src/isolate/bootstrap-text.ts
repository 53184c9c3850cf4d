/** The text of user space's own part, read once. It is data here: it runs only inside isolates. */
import { readFileSync } from 'node:fs'
import { familiesText } from './web/texts.ts'

const definition = readFileSync(new URL('./bootstrap.js', import.meta.url), 'utf8')
const given = 'post, bootText, argsText, traced, webText'
const bootstrap = `${definition}\nreturn bootstrap(${given}, ${familiesText}, `
const zone = readFileSync(new URL('./zone.js', import.meta.url), 'utf8')

/** What the kernel says in a guest's beginning where zone.js was there, so that it is there when the run is repeated. */
export const fixedZone = 'fixed'
const saysFixed = `"zone":"${fixedZone}"`

/**
 * @param boot a guest's beginning, as JSON
 * @param hasZone whether isolates of this process have the time zone and the locale of guests by themselves
 * @returns a script whose value is a function; its arguments are the first five of `bootstrap`
 */
export const bootstrapText = (boot: string, hasZone: boolean): string =>
  hasZone && !boot.includes(saysFixed) ? plainText : fixedText

// In brackets, so that V8 compiles it at once, and keeps that.
const plainText = `(function (${given}) {\n'use strict'\n${bootstrap}undefined)\n})`
const fixedText = `(function (${given}) {\n'use strict'\n${zone}\n${bootstrap}fixZone())\n})`
