/** The version of a framework that an integration meets, and whether it has been tried with that. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'

/** What an integration was tried with. */
export interface Tested {
  /** Name of the package. */
  readonly name: string
  /** The first version, and the first that is too new: `major.minor.patch`. */
  readonly from: string
  readonly below: string
}

const told = new Set<string>()

/**
 * Says once, as a warning of Node.js, that a framework has a version that the integration was not tried with.
 * @param version as the framework says it; looked up in its package where it says none
 * @param at `import.meta.url` of the integration: where the package is looked for. In a bundle there may be none, and then
 *   nothing is said
 * @returns the version, where it is known
 */
export function checkFramework(
  tested: Tested,
  at: string,
  version = installedVersion(tested.name, at),
): string | undefined {
  const { name, from, below } = tested
  const isKnown = version === undefined || (compare(version, from) >= 0 && compare(version, below) < 0)
  if (isKnown || told.has(`${name} ${version}`)) return version
  told.add(`${name} ${version}`)
  process.emitWarning(
    `${name} ${version} is installed, and this integration was tested with ${from} up to, not including, ${below}: what it governs may differ`,
    'GatehouseVersion',
  )
  return version
}

/** @returns what the package.json beside the code says, where one is found; packages need not export it */
function installedVersion(name: string, at: string): string | undefined {
  try {
    const require = createRequire(at)
    for (const folder of require.resolve.paths(name) ?? []) {
      const version = versionIn(require, join(folder, name, 'package.json'))
      if (version !== undefined) return version
    }
  } catch {
    // A bundle that does not say where it lies.
  }
  return undefined
}

function versionIn(require: NodeJS.Require, file: string): string | undefined {
  try {
    const { version } = require(file) as { readonly version?: unknown }
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

/** Of three numbers; what follows them, as `-beta.1`, is not looked at. */
function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split(/[.+-]/, 3).map(Number))
  for (let index = 0; index < 3; index += 1) {
    const difference = (a?.[index] || 0) - (b?.[index] || 0)
    if (difference !== 0) return difference
  }
  return 0
}
