/** What a process can read about itself and the kernel, as files: /proc, /policy, /tools, /audit, /ipc. */
import type { IpcDriver } from './drivers/ipc.ts'
import type { ToolDriver } from './drivers/tool.ts'
import type { Views } from './drivers/vfs/layout.ts'
import type { VirtualNode, VirtualView } from './drivers/vfs/virtual.ts'
import type { EvidenceLog } from './evidence/log.ts'
import { type Labels, noLabels } from './labels.ts'
import type { PolicySet } from './policy/types.ts'
import { rowOf } from './proc/rows.ts'
import type { ProcessTable } from './proc/table.ts'

export interface ViewParts {
  readonly table: ProcessTable
  readonly tool: ToolDriver
  readonly ipc: IpcDriver
  readonly log: EvidenceLog
}

/**
 * @param whose the process whose newest evidence /audit shows; undefined for the application's own look at an agent's files
 * @param policy what is in force for it, asked anew for every read
 */
export function makeViews(
  { table, tool, ipc, log }: ViewParts,
  whose: { readonly run: string; readonly pid: number } | undefined,
  policy: () => PolicySet,
): Views {
  return {
    proc: folder(() =>
      Object.fromEntries(
        table
          .live()
          .filter(({ identity }) => !identity.sealed)
          .map((process) => [`${process.pid}.json`, json(rowOf(process))]),
      ),
    ),
    tools: folder(() => Object.fromEntries(tool.list().map((it) => [`${it.name}.json`, json(it)]))),
    ipc: folder(() => Object.fromEntries(ipc.waiting().map((it) => [`${it.agent}.json`, json(it)]))),
    policy: folder(() => policyFiles(policy())),
    audit: folder(() => ({ 'log.jsonl': () => ownEntries(log, whose) })),
    labels: labelsOf(table),
  }
}

/**
 * A row of the process table carries what its process does. What is numbered, counted or listed over all processes
 * (entries of /audit, mailboxes, who lives) tells of the doings of all.
 */
function labelsOf(table: ProcessTable): NonNullable<Views['labels']> {
  const ofAll = {
    of: () => table.labelsOfAll(),
    around: () => table.labelsOfAll(),
    through: () => noLabels,
  }
  const ofRow = (path: string): Labels => {
    const pid = /^\/(\d+)\.json$/.exec(path)?.[1]
    return (pid === undefined ? undefined : table.labelsOf(Number(pid))) ?? table.labelsOfAll()
  }
  return { audit: ofAll, ipc: ofAll, proc: { ...ofAll, of: ofRow, around: ofRow } }
}

type Files = Readonly<Record<string, string | (() => string)>>

/** A flat folder of files that are computed when they are read. */
function folder(list: () => Files): VirtualView {
  return (path): VirtualNode | undefined => {
    const files = list()
    if (path === '/')
      return { type: 'folder', entries: Object.keys(files).map((name) => ({ name, type: 'file' })) }
    const name = path.slice(1)
    if (!Object.hasOwn(files, name)) return undefined
    const text = files[name] ?? ''
    return { type: 'file', text: typeof text === 'string' ? text : text() }
  }
}

function policyFiles({ documents, hash }: PolicySet): Files {
  const texts = documents.map(
    ({ name, text, file = `${name.replaceAll('/', '_')}.yaml` }) => [file, text] as const,
  )
  return { ...Object.fromEntries(texts), hash: `${hash}\n` }
}

/** A pid alone would show what a process of an earlier kernel did, where the record goes on in the same folder. */
function ownEntries(log: EvidenceLog, whose: { run: string; pid: number } | undefined): string {
  if (whose === undefined) return ''
  return log
    .recent(whose.run, whose.pid)
    .map((line) => `${line}\n`)
    .join('')
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
