/** Prints docs/entries.md: the kinds of entries and what stands in each. */
import { type EntryKind, entryKinds } from '../../src/evidence/entry.ts'
import { code, page, printedFrom, tableOf } from './markdown.ts'

type Fields = Readonly<Record<string, string>>

/** In every entry. */
export const commonFields: Fields = {
  v: 'version of this format: 1',
  seq: 'position in the log, from 0',
  prev: 'SHA-256(0x00 ‖ bytes of the line before), as hex: its RFC 6962 leaf hash; 64 zeros in the first entry',
  time: 'kernel time, ms since 1970',
  kind: 'what it is about',
  'run?': 'the life of one first process and its children; absent where the entry is about the kernel itself',
  'pid?': 'the process; pids begin anew with each kernel',
}

/** In entries about a call. */
const callFields: Fields = {
  agent: "the agent's name",
  isolation: '`cell`, `inline` or `host`',
  call: "the process's own number for the call",
  syscall: 'what it asked for',
  'extraction?': 'true where it is an extraction, of which nothing is counted',
  'labels?': 'what the process carried; absent where that is nothing',
}

/** What a request carries is always said. */
const { 'labels?': _, ...askFields } = callFields

const decision =
  'what the policy decided: `effect` (`permit`, `ask`, `forbid`, or `unjudged` alone), `policy` (hash of the policy set), `rules` (id, line, policy), and `observed` where an observing policy would have done otherwise'

export const kinds: Readonly<Record<EntryKind, { readonly says: string; readonly fields: Fields }>> = {
  open: {
    says: 'a kernel began to write here',
    fields: {
      policy: 'SHA-256 of the text of `documents`',
      policies: 'names of the policies in force',
      documents: 'payload: all policies in force, in canonical form',
      isolation: 'the isolation that its processes have by default',
      versions: 'of Node.js (`node`), V8 (`v8`) and, unless it is bundled into one file, `gatehouse`',
      'tools?': 'payload: the tools that there are, with what each takes; absent where there are none',
      'protections?': 'what is in force for its cells; absent where it has none',
      'from?':
        'what is within the kernel is as it was after the entry `seq`: effects up to there that stay in the kernel are done again; for a fork also `run`, and `as`, which is its name here',
    },
  },
  spawn: {
    says: 'a process begins',
    fields: {
      ppid: 'its parent; 0 for the first process of a run',
      agent: "the agent's name",
      isolation: '`cell`, `inline` or `host`',
      labels: 'what it carries from the start',
      policy: 'SHA-256 of the text of `documents`',
      documents: 'payload: all policies that it is under, in canonical form',
      budget: 'what it may use: milliseconds, bytes, US dollars, counts',
      'extraction?': 'true where nothing comes back from it but one value of a narrow schema',
      'cell?': '`own` or `shared`; absent in another isolation',
      'fork?': 'it goes on from the process of the same pid of this `run`, as it was after the entry `seq`',
      'framework?':
        'name and version of the framework, where it stands for an object of one that the application has wrapped',
      'args?':
        'payload: the arguments of its first call, or what a wrapped object was asked, as a JSON array; absent for another function of the application',
      'program?':
        'payload: the ES module that runs; absent, as all that follows, for code of the application',
      'filename?': 'how stacks name it',
      'map?':
        "payload: what leads from it to the author's files and lines (a source map, ECMA-426), where it was bundled from a file",
      'boot?': 'payload: what the guest began with (time, seed, doors), as JSON',
    },
  },
  turn: {
    says: 'agent code is given what came in, and runs until it waits again',
    fields: {
      turn: 'its number, from 2: the first turn is the start',
      after: "the process's own number of the last call that it made before; 0 where it made none",
      at: "the process's own time, ms since 1970; it stands still while the turn lasts",
      replies:
        'in their order: the `seq` of the entry that ended a call, or the name of a signal that it handles',
    },
  },
  rebuild: {
    says: 'a process is made again from the record: its guest repeats its turns, and then goes on',
    fields: {
      cause: '`cell`: its cell was gone; `resume`: its kernel was; `fork`: another run begins where it was',
      reason: 'the same in words',
      turn: 'the last turn that is repeated',
    },
  },
  snapshot: {
    says: "what the kernel's state was after an entry lies in a file beside the log: derived, and may be deleted",
    fields: {
      after: 'the entry after which it was taken; its file is named by it',
      from: 'the first entry that has to be read with it: where the record of the oldest run begins that lived then',
      sha256: 'SHA-256 of the file; without it nothing in the file is believed',
      size: 'bytes of the file',
    },
  },
  edit: {
    says: 'a run that goes on from another one takes another result for one of that; before its processes begin',
    fields: { outcome: 'the `seq` of the outcome', result: 'payload: what came back in its place, as JSON' },
  },
  state: { says: 'a process changed its state', fields: { from: 'the state before', to: 'the state now' } },
  intent: {
    says: 'an admitted call, before its effect',
    fields: {
      ...callFields,
      resource: 'on what it acts',
      args: 'payload: its arguments, as JSON',
      decision,
      'ask?': 'where it waited for a person: the `seq` of the last entry that asked',
      'again?': 'the `seq` of an intent whose effect is not known, since its kernel ended: it is made again',
    },
  },
  outcome: {
    says: 'how an admitted call ended',
    fields: {
      intent: 'the `seq` of its intent',
      status: '`committed`, `failed`, `aborted`, or `unknown` where nobody can tell whether it happened',
      'code?': 'the errno of a failure',
      'reason?': 'its cause as the agent is told it, unless a rule keeps it out of the record',
      'result?': 'payload: what came back, as JSON',
      'labels?': 'what the result, or the error, carried',
      'released?': 'labels that the result came of and does not carry on',
      'cost?':
        'of a model: `tokens` (and `inputTokens`, `outputTokens`, `cachedTokens`), `costUsd` where its price is known, `requests` where there were several, `estimated` where nobody has counted',
    },
  },
  charge: {
    says: "a model's stream is over, which a call had opened",
    fields: {
      intent: 'the `seq` of the intent of that call',
      status: '`committed`, `failed`, or `aborted` in the middle, by its reader or with its process',
      'code?': 'the errno of a failure',
      'reason?': 'its cause as the agent is told it, unless a rule keeps it out of the record',
      result: 'payload: what the model wrote until then, as JSON',
      cost: 'as in an outcome',
    },
  },
  refusal: {
    says: 'a call that was not admitted, and touched nothing',
    fields: {
      ...callFields,
      'resource?': 'on what it would have acted, as far as that was understood',
      code: 'its errno',
      reason: 'why, as the agent is told it',
      'args?': 'payload: the beginning of its arguments',
      'decision?': decision,
      'ask?': 'where it waited for a person: the `seq` of the last entry that asked',
    },
  },
  ask: {
    says: 'a call waits for a person; nothing has been touched',
    fields: {
      ...askFields,
      id: 'by which people name it',
      resource: 'on what it would act',
      args: 'payload: its arguments, as JSON',
      decision,
      labels: 'what it carried',
      digest: 'SHA-256 of the text of `binding`',
      binding: 'payload: all that an approval holds for, as canonical JSON',
      expires: 'kernel time from which on it is denied, ms since 1970',
      'follows?': 'the request in whose place it came',
      'again?': 'the `seq` of an intent whose effect is not known: whether it is made again is asked',
    },
  },
  answer: {
    says: 'how a request ended',
    fields: {
      ask: 'the `seq` of the entry that asked',
      id: 'by which people name it',
      answer: '`approved`, `denied`, `expired` or `cancelled`',
      by: 'who said so',
      'reason?': 'why',
      'args?': "payload: arguments that were approved in place of the agent's",
    },
  },
  signal: {
    says: 'a signal was taken',
    fields: { signal: 'its name', by: 'who sent it, or why the kernel raised it' },
  },
  exit: {
    says: 'a process has ended',
    fields: {
      status: '`exited`, `failed` or `killed`',
      'value?': 'payload: what it returned, as JSON',
      'error?': 'errno and message; the decision where it ended by a refusal that it did not handle',
      'signal?': 'what ended it',
      'reason?': 'why',
      'labels?': 'what its value and its error carry',
      'usage?': 'CPU time in ms, calls, tokens and US dollars; its children are charged to it',
    },
  },
  declassify: {
    says: 'a value was released from labels',
    fields: {
      'agent?': 'whose file it is',
      'path?': 'the file',
      'intent?': 'the `seq` of the intent of the call that gave the value',
      by: 'a person, a tool or a syscall',
      reason: 'why',
      labels: 'the labels that it came of',
      value: 'payload: the value, as JSON',
    },
  },
  host: {
    says: 'what the application did to an agent’s files, before it happened, or a tool that it offers (`tool.register`)',
    fields: {
      'agent?': 'whose files; for a wrapped tool, who calls it',
      syscall: 'what it did',
      resource: 'to what',
      args: 'payload: what was written, or the schema of the tool, as JSON',
      'wrapped?': 'of a wrapped tool: which of that name its process has, from 1, as calls say it',
      'framework?': 'of a wrapped tool: name and version of the framework',
    },
  },
  reload: {
    says: "another policy came into force; with a `pid`, for a process that has policies of its own beside the kernel's",
    fields: {
      policy: 'SHA-256 of the text of `documents`',
      policies: 'names of the policies in force',
      documents: 'payload: all policies in force, in canonical form',
      before: 'the hash of those before',
      by: 'who did it',
    },
  },
  repair: {
    says: 'a torn tail was cut off on start',
    fields: { file: 'the file', bytes: 'how much was cut', kept: 'the file beside the log that keeps it' },
  },
  redact: {
    says: 'payloads and their salts are deleted after this entry',
    fields: {
      by: 'who deletes them',
      reason: 'why',
      payloads: 'how many',
      'hashes?': 'which, where they are few',
      list: 'SHA-256 over their hashes, sorted, each with a newline',
      'entries?': 'the entries that named them',
      'of?': 'the run that named them',
      'before?': 'kernel time, ms since 1970: of runs that did nothing since',
      'done?': 'the `seq` of the first entry that may still have a payload to be deleted by age',
    },
  },
  key: {
    says: 'a key begins to sign the log',
    fields: {
      origin: 'the name of the log, for ever; the first line of each checkpoint',
      verifier: 'the key in the form in which it is handed on: name, id, public key',
      'endorsement?':
        'a note by which the key before names this one; absent for the first, and where the key before was not at hand',
    },
  },
  checkpoint: {
    says: 'the entries before it are signed',
    fields: {
      note: 'a signed note (C2SP): origin, number of entries before this one, root of their tree',
      frontier: 'roots of the perfect subtrees of that tree, the largest first, as hex',
    },
  },
  close: { says: 'the kernel ended in order', fields: {} },
}

const intro = `One line of \`log-*.jsonl\` is one entry: JSON in canonical form (RFC 8785), UTF-8, one newline. A field marked \`?\` may be absent. A *payload* is \`{ bytes, hash }\`: how long a text is and SHA-256(salt ‖ its UTF-8 bytes), as hex; the text lies with its salt in the packs beside the log, unless a rule keeps it out of the record or it was deleted. \`gatehouse evidence show ENTRY\` prints one entry with its payloads and all that belongs to it. How it all fits together: [evidence](evidence.md#entries).`

const fieldsOf = (fields: Fields): string =>
  Object.keys(fields).length === 0
    ? 'Nothing but what is in every entry.'
    : tableOf(
        ['field', 'meaning'],
        Object.entries(fields).map(([name, meaning]) => [code(name), meaning]),
      )

export const entriesText = (): string =>
  page(
    '# Entries',
    printedFrom('scripts/docs/entries.ts'),
    intro,
    tableOf(
      ['kind', 'what it says'],
      entryKinds.map((kind) => [`[${kind}](#${kind})`, kinds[kind].says]),
    ),
    '## In every entry',
    fieldsOf(commonFields),
    ...entryKinds.flatMap((kind) => [
      `## ${kind}`,
      `${sentence(kinds[kind].says)}`,
      fieldsOf(kinds[kind].fields),
    ]),
  )

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
