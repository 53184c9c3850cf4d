/** The command `gatehouse`: reads the command line, runs one command, and says how it ended. */
import type { Command } from 'commander'
import { packageVersion } from '../config/package-version.ts'
import { approvals } from './approvals.ts'
import { approve } from './approve.ts'
import { type CommandSpec, type CommonOptions, HelpShown, makeProgram } from './command.ts'
import { declassify } from './declassify.ts'
import { deny } from './deny.ts'
import { doctor } from './doctor.ts'
import { evidenceExport } from './evidence-export.ts'
import { evidenceKey } from './evidence-key.ts'
import { evidenceManifest } from './evidence-manifest.ts'
import { evidenceProve, evidenceVerifyProof } from './evidence-proof.ts'
import { evidencePrune } from './evidence-prune.ts'
import { evidenceRedact } from './evidence-redact.ts'
import { evidenceShow } from './evidence-show.ts'
import { evidenceStats } from './evidence-stats.ts'
import { evidenceTimeline } from './evidence-timeline.ts'
import { evidenceVerify } from './evidence-verify.ts'
import { evidenceVerifyManifest } from './evidence-verify-manifest.ts'
import { describeFailure, exitCodes } from './failure.ts'
import { fork } from './fork.ts'
import { init } from './init.ts'
import { inspect } from './inspect.ts'
import { kill } from './kill.ts'
import { logs } from './logs.ts'
import { type Io, Output, type OutputStream } from './output.ts'
import { policyBacktest } from './policy-backtest.ts'
import { policyCheck } from './policy-check.ts'
import { policyCoverage } from './policy-coverage.ts'
import { policyDiff } from './policy-diff.ts'
import { policyExplain } from './policy-explain.ts'
import { policyInit } from './policy-init.ts'
import { policyLint } from './policy-lint.ts'
import { policyList } from './policy-list.ts'
import { policyReplay } from './policy-replay.ts'
import { policyTest } from './policy-test.ts'
import { ps } from './ps.ts'
import { reload } from './reload.ts'
import { replay } from './replay.ts'
import { run } from './run.ts'
import { top } from './top.ts'
import { version } from './version.ts'

const commands = [
  init,
  run,
  ps,
  top,
  kill,
  logs,
  inspect,
  approvals,
  approve,
  deny,
  declassify,
  reload,
  replay,
  fork,
  {
    name: 'policy',
    summary: 'check policies and ask them questions',
    commands: [
      policyCheck,
      policyExplain,
      policyTest,
      policyCoverage,
      policyDiff,
      policyBacktest,
      policyLint,
      policyReplay,
      policyList,
      policyInit,
    ],
  },
  {
    name: 'evidence',
    summary: 'verify and read what is on record, and delete what need not be kept',
    commands: [
      evidenceVerify,
      evidenceTimeline,
      evidenceShow,
      evidenceStats,
      evidenceKey,
      evidenceManifest,
      evidenceVerifyManifest,
      evidenceExport,
      evidenceProve,
      evidenceVerifyProof,
      evidenceRedact,
      evidencePrune,
    ],
  },
  doctor,
  version,
] as const

/**
 * @param argv what follows the command's name
 * @param io where to write, and the environment; `process` is one
 * @returns the exit code; whatever goes wrong becomes a sentence and a code
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let out = new Output(io, { json: argv.includes('--json'), stack: argv.includes('--stack') })
  let exitCode: number = exitCodes.done
  const start = async (spec: CommandSpec, command: Command): Promise<void> => {
    const { json = false, stack = false } = command.opts<CommonOptions>()
    out = new Output(io, { json, stack })
    exitCode = await spec.run(out, command)
  }
  const program = makeProgram(
    commands,
    packageVersion(),
    { writeOut: (text) => io.stdout.write(text) },
    start,
  )
  const failing = watch([io.stdout, io.stderr])
  try {
    await program.parseAsync([...argv], { from: 'user' })
    if (failing.error !== undefined) throw failing.error
    return exitCode
  } catch (error) {
    if (error instanceof HelpShown) return exitCodes.done
    return report(out, error)
  }
}

function report(out: Output, error: unknown): number {
  const { code, message, exitCode } = describeFailure(error)
  out.give({ error: { code, message } })
  out.fail(message, error instanceof Error ? error.stack : undefined)
  return exitCode
}

/** A reader that leaves early, such as `head`, is no failure of ours; a full disk is. */
function watch(streams: readonly OutputStream[]): { error?: Error } {
  const failing: { error?: Error } = {}
  for (const stream of streams) {
    stream.on?.('error', (error) => {
      if (!('code' in error && error.code === 'EPIPE')) failing.error ??= error
    })
  }
  return failing
}
