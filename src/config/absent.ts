/** Modules of Node.js that user space does not have, in programs that can do without: using one fails when it is used. */

import type { OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult } from 'esbuild'
import { packageOf } from './bundle-names.ts'
import { insteadOf, nodeModule } from './node-modules.ts'

/** @param specifier as it was imported */
export const absentFromNode = (specifier: string): string =>
  `user space has no module \`${specifier}\`; ${insteadOf(nodeModule(specifier) ?? specifier)}`

interface Absence {
  readonly name: string
  /** The package that imports it. */
  readonly from: string | undefined
  /** Whether the program says that it does without: then not loading it fails, but using something of it. */
  readonly isHollow: boolean
}

export const absentModule = {
  namespace: 'gatehouse-absent',

  resolve(args: OnResolveArgs, name: string, without: ReadonlySet<string>): OnResolveResult {
    const absence: Absence = { name, from: packageOf(args.importer), isHollow: without.has(name) }
    return {
      path: absence.from === undefined ? name : `${name} of ${absence.from}`,
      namespace: absentModule.namespace,
      pluginData: absence,
    }
  },

  load({ pluginData }: OnLoadArgs): OnLoadResult {
    const { name, from, isHollow }: Absence = pluginData
    const message = `${absentFromNode(`node:${name}`)}${from === undefined ? '' : ` (\`${from}\` imports it)`}`
    return { contents: isHollow ? hollow(name, message) : failing(message), loader: 'js' }
  },
}

const failing = (message: string): string =>
  `throw Object.assign(new Error(${JSON.stringify(`ENOSYS: ${message}`)}), { code: 'ENOSYS' })`

/** Everything that a package looks up in it is there, until it is called: code that is never reached does no harm. */
const hollow = (name: string, message: string): string => `
const why = ${JSON.stringify(message)}
const fail = (path) => { throw Object.assign(new Error('ENOSYS: \`' + path + '\`: ' + why), { code: 'ENOSYS' }) }
const known = new Set(['then', '__esModule', 'toJSON'])
const part = (path) => new Proxy(function () {}, {
  get: (target, key) => key === 'prototype' ? target.prototype : typeof key === 'symbol' || known.has(key) ? undefined : part(path + '.' + key),
  apply: () => fail(path),
  construct: () => fail(path),
})
module.exports = Object.create(part(${JSON.stringify(name)}))
`
