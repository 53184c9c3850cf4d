/** The options of cells: a closed set within bounds. */
import { expect, test } from 'vitest'
import { readKernelOptions } from '../../src/config/options.ts'
import { limits } from '../../src/limits.ts'

test('every option of cells is taken as it stands, bounds included', () => {
  const most = {
    processes: limits.processesPerCellMax,
    max: limits.cellsHardMax,
    spare: limits.cellsSpareMax,
  }
  for (const cells of [
    {},
    { sharing: 'own', processes: 1, max: 1, spare: 0, jail: 'none' },
    { sharing: 'shared', jail: 'bubblewrap', ...most },
  ])
    expect(readKernelOptions({ cells })).toEqual({ cells })
})

test.each([
  [{ sharing: 'mine' }, /`cells.sharing`/],
  [{ processes: 0 }, /`cells.processes`/],
  [{ processes: limits.processesPerCellMax + 1 }, /`cells.processes`/],
  [{ processes: 1.5 }, /`cells.processes`/],
  [{ max: 0 }, /`cells.max`/],
  [{ max: limits.cellsHardMax + 1 }, /`cells.max`/],
  [{ spare: -1 }, /`cells.spare`/],
  [{ spare: limits.cellsSpareMax + 1 }, /`cells.spare`/],
  [{ jail: 'chroot' }, /`cells.jail`/],
  [{ prison: 'bubblewrap' }, /`cells.prison` is no option/],
  [{ proceses: 4 }, /did you mean `processes`\? There are sharing, processes, /],
])('%j is refused with its name', (cells, message) => {
  expect(() => readKernelOptions({ cells })).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(message) }),
  )
})
