/** What the kernel's own parts refuse, as the error that its callers know. */
import { KernelError, SyscallError } from './errors.ts'
import { asJson, type Json } from './json.ts'

/** @throws KernelError EINVAL with the path of what is not JSON */
export const jsonArgs = (args: readonly unknown[]): readonly Json[] =>
  translated(() => args.map((arg, index) => asJson(arg, `args[${index}]`)))

export function translated<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof SyscallError) throw new KernelError(error.code, error.message)
    throw error
  }
}
