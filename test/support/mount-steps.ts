/** Random changes to a mount, for claims about whatever is done to it. */
import fc from 'fast-check'
import type { Awaitable, Mount } from '../../src/drivers/vfs/mount.ts'

export type Step =
  | { readonly kind: 'replace' | 'append'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'remove'; readonly path: string; readonly recursive: boolean }
  | { readonly kind: 'move'; readonly path: string; readonly to: string }

/** Few names and three levels, so that steps meet. */
const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`)

export const stepsOf = (): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({ kind: fc.constantFrom('replace', 'append'), path, bytes: fc.nat({ max: 30 }) }),
    fc.record({ kind: fc.constant('mkdir'), path }),
    fc.record({ kind: fc.constant('remove'), path, recursive: fc.boolean() }),
    fc.record({ kind: fc.constant('move'), path, to: path }),
  )

export function applyStep(mount: Mount, step: Step): Awaitable<void> {
  if (step.kind === 'mkdir') return mount.mkdir(step.path)
  if (step.kind === 'remove') return mount.remove(step.path, step.recursive)
  if (step.kind === 'move') return mount.move(step.path, step.to)
  return mount.write(step.path, Buffer.alloc(step.bytes, 65 + (step.bytes % 26)), step.kind)
}
