/** The source files, parsed, for tests that read them: what each imports, names and counts to. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Import {
  /** A path from the root for a file of ours, such as `src/gate.ts`; else the module's name. */
  readonly to: string
  /** Erased before the code runs. */
  readonly typeOnly: boolean
}

export interface Source {
  /** From the root, with `/`. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** Dotted names that it uses as values, calls and `new` included: `Date.now`, `fetch()`, `new Date()`. */
  readonly names: ReadonlySet<string>
  readonly numbers: readonly number[]
  readonly decorators: number
  readonly functions: readonly { readonly name: string; readonly lines: number }[]
}

/** @param folder from the root */
export const readSources = (folder: string): readonly Source[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => /\.(ts|js)$/.test(path))
    .toSorted()
    .map(readSource)

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = {
    imports: [] as Import[],
    names: new Set<string>(),
    numbers: [] as number[],
    decorators: 0,
    functions: [] as { name: string; lines: number }[],
  }
  const visit = (node: ts.Node): void => {
    look(node, file, found)
    ts.forEachChild(node, visit)
  }
  visit(file)
  const resolved = found.imports.map(({ to, typeOnly }) => ({
    to: to.startsWith('.') ? posix.join(posix.dirname(path), to) : to,
    typeOnly,
  }))
  return { path, lines: text.split('\n').length - 1, ...found, imports: resolved }
}

interface Found {
  readonly imports: Import[]
  readonly names: Set<string>
  readonly numbers: number[]
  decorators: number
  readonly functions: { name: string; lines: number }[]
}

function look(node: ts.Node, file: ts.SourceFile, found: Found): void {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier))
      found.imports.push({ to: node.moduleSpecifier.text, typeOnly: isTypeOnly(node) })
  } else if (ts.isCallExpression(node)) {
    found.names.add(`${node.expression.getText(file)}()`)
    const [first] = node.arguments
    if (
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      first !== undefined &&
      ts.isStringLiteral(first)
    )
      found.imports.push({ to: first.text, typeOnly: false })
  } else if (ts.isNewExpression(node)) {
    if (node.arguments?.length === 0) found.names.add(`new ${node.expression.getText(file)}()`)
  } else if (ts.isPropertyAccessExpression(node)) found.names.add(node.getText(file))
  else if (ts.isIdentifier(node) && !ts.isTypeElement(node.parent)) found.names.add(node.text)
  else if (ts.isNumericLiteral(node)) found.numbers.push(Number(node.text))
  else if (ts.isDecorator(node)) found.decorators += 1
  if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
    const at = (position: number) => file.getLineAndCharacterOfPosition(position).line
    const name = node.name?.getText(file) ?? 'a function'
    found.functions.push({ name, lines: at(node.getEnd()) - at(node.getStart(file)) + 1 })
  }
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const { exportClause } = node
    const elements =
      exportClause !== undefined && ts.isNamedExports(exportClause) ? exportClause.elements : []
    return node.isTypeOnly || (elements.length > 0 && elements.every((element) => element.isTypeOnly))
  }
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.isTypeOnly) return true
  const named = clause.namedBindings
  const elements = named !== undefined && ts.isNamedImports(named) ? named.elements : []
  return clause.name === undefined && elements.length > 0 && elements.every((element) => element.isTypeOnly)
}
