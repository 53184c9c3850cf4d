import { expect, test } from 'vitest'
import { SyscallError } from '../src/errors.ts'
import { limits } from '../src/limits.ts'

test('what a refusal says is cut, and stays text that a record takes', () => {
  const error = new SyscallError('EINVAL', `${'x'.repeat(limits.errorTextMax - 1)}😀${'y'.repeat(1_000_000)}`)
  expect(error.message).toHaveLength(limits.errorTextMax)
  expect(error.message.isWellFormed()).toBe(true)
  expect(new SyscallError('EINVAL', 'short').message).toBe('short')
})
