/** Whose method it is that stands at a place in a compiled script. */
import type { Class, Program } from 'acorn'
import { everyNode, isNode } from './tree.ts'

/**
 * @param script a whole script or module
 * @param offset where a function's text begins
 * @returns `Desk.triage` if a method of the class `Desk` begins there
 */
export function methodAt(script: Program, offset: number): string | undefined {
  for (const node of everyNode(script)) {
    // esbuild keeps the outer name of `const _Desk = class _Desk {…}` for the class that decorators made of it.
    if (isNode(node, 'VariableDeclarator') && node.id.type === 'Identifier') {
      const { id, init } = node
      const renamed = init?.type === 'ClassExpression' && id.name.startsWith('_') && init.id?.name === id.name
      const method = renamed ? methodOf(init, offset) : undefined
      if (method !== undefined) return `${id.name.slice(1)}.${method}`
    }
    if (isNode(node, 'ClassDeclaration') || isNode(node, 'ClassExpression')) {
      const method = methodOf(node, offset)
      if (method !== undefined && node.id) return `${node.id.name}.${method}`
    }
  }
  return undefined
}

function methodOf({ body }: Class, offset: number): string | undefined {
  const member = body.body.find((one) => one.start <= offset && offset < one.end)
  if (member?.type !== 'MethodDefinition' || offset >= member.value.start || member.computed) return undefined
  if (member.key.type === 'Identifier') return member.key.name
  return member.key.type === 'PrivateIdentifier' ? `#${member.key.name}` : undefined
}
