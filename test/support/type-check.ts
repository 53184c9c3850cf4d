/** Type checks of files as an agent's author has them: strict, with `gatehouse/guest` from the sources. */
import { join, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')

const options: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  paths: { 'gatehouse/guest': [join(root, 'src/guest.ts')] },
}

export const programOf = (...files: readonly string[]): ts.Program => ts.createProgram(files, options)

/** @returns what the compiler has to say, a line each */
export function typeErrors(...files: readonly string[]): readonly string[] {
  return ts.getPreEmitDiagnostics(programOf(...files)).map(({ file, start = 0, messageText }) => {
    const line = file === undefined ? '' : `:${file.getLineAndCharacterOfPosition(start).line + 1}`
    return `${file?.fileName ?? ''}${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}
