/** A child process that loads one compiled fixture, governs it by running the text that travels, and prints what came. */
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { makeGovern } from '../../src/govern/govern.ts'
import { governedMethods } from '../../src/govern/metadata.ts'
import { programOf } from '../../src/govern/source.ts'
import type { GovernedBy } from '../../src/govern/types.ts'

/** A realm of its own with nothing but the language: what a function needs, its text must bring. */
const realm = vm.createContext({})

/** Everything crosses as JSON, as it does between the kernel and user space. */
const kernel: GovernedBy = {
  prepare(fn, options, name) {
    if (options.isolation === 'host') return async (self, args) => Reflect.apply(fn, self, args)
    const { text } = programOf(fn, name)
    const body = `(() => { 'use strict'; ${text.replace('export default', 'const governed =').trimEnd()}\nreturn governed })()`
    const travelled = vm.runInContext(body, realm)
    return async (_self, args) => {
      const passed = vm.runInContext(`(${JSON.stringify(args)})`, realm)
      return JSON.parse(JSON.stringify((await travelled(...passed)) ?? null))
    }
  },
}

const loaded = await import(pathToFileURL(process.argv[2] ?? '').href)
const fixture = loaded.default.default ?? loaded.default
console.log(JSON.stringify(await fixture({ govern: makeGovern(kernel), governedMethods })))
