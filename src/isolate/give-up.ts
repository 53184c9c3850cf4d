/** What a cell needed to begin and needs no more, it gives back before the first guest. */

/** Where Node.js can (24 and later): from here on no file is read, and no addon loaded. */
export function giveUp(): void {
  const { permission } = process as { permission?: { drop?: (scope: string) => void } }
  for (const scope of ['fs.read', 'addon']) permission?.drop?.(scope)
}
