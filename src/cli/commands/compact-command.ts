import { setTimeout as sleep } from 'node:timers/promises'
import path from 'node:path'
import { preferWideTile } from '../../../kernel/wide-tile.js'
import type { BuildReport } from '../../api/report.js'
import { IndexLockedError, MiscompiledError, PathError } from '../../errors.js'
import { compactGeneration } from '../../live/jobs/compact-generation.js'
import { whyNothingToCompact } from '../../live/nothing-to-compact.js'
import type { COMPACT_COMMAND_OPTIONS } from '../../options/live-command-options.js'
import { isResumable } from '../../pipeline/run/workspace.js'
import { shellWord } from '../../report/shell-word.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { assertIndex, openToWrite } from '../files/open-to-write.js'
import { interruptible } from '../interruptible.js'
import { buildSummary } from '../print/build-summary.js'
import { openBuildView } from '../screen/build-view.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'

type CompactFlags = OptionsOf<typeof COMPACT_COMMAND_OPTIONS>

type Compacted =
  { readonly compacted: true; readonly report: BuildReport } | { readonly compacted: false; readonly reason: string }

export const compactCommand: CommandBody<CompactFlags, Compacted> = { run, print, json }

const NOTHING_LEFT = 'no vector is left in the index, and there is no generation of nothing: upsert some first'

async function run(flags: CompactFlags, { terminal }: Session): Promise<Compacted> {
  await assertIndex(flags.path, 'compact')
  const place = path.resolve(flags.path)
  const unchanged = await whyNothingToCompact(place, flags)
  if (unchanged !== undefined) return { compacted: false, reason: unchanged }
  const isOurs = await sealChanges(flags, terminal)
  const unsealed = await whyNothingToCompact(place, { ...flags, sealed: true })
  if (unsealed !== undefined) return { compacted: false, reason: unsealed }
  // Nothing but this build runs in the process, so its engine's flag may be set.
  preferWideTile()
  const report = await build(flags, place, terminal)
  // Opened, the index takes the generation over, and deletes the changes that it contains.
  if (isOurs) await sealChanges(flags, terminal)
  return report === undefined ? { compacted: false, reason: NOTHING_LEFT } : { compacted: true, report }
}

/** A writer looks for a new generation once a second. */
const TAKE_OVER_MS = 2000
const ATTEMPTS = 5
const NOT_TAKEN_OVER =
  'another build was published, and the process that writes has not taken it over yet; try again when it has'

/** Seals all changes, unless another process writes, which seals its own. Returns whether none does. */
async function sealChanges({ path: given, verbose }: CompactFlags, terminal: Terminal): Promise<boolean> {
  try {
    const index = await openToWrite(given, { terminal, verbose })
    try {
      await index.flush()
    } finally {
      await index.close()
    }
    return true
  } catch (error) {
    if (!(error instanceof IndexLockedError)) throw error
    if (verbose) terminal.log(`${error.message}: its changes that are sealed are compacted`)
    return false
  }
}

async function build(flags: CompactFlags, place: string, terminal: Terminal): Promise<BuildReport | undefined> {
  const { path: given, quiet, verbose, logFormat, json: _json, ...options } = flags
  const view = quiet ? undefined : await openBuildView(terminal, { verbose, json: logFormat === 'json' })
  const hooks = view === undefined ? {} : { logger: view.logger, onProgress: view.onProgress }
  let report: BuildReport | undefined
  try {
    report = await interruptible(terminal, async (signal) => {
      for (let attempt = 1; ; attempt++) {
        const compacted = await compactGeneration({ indexDir: place, options }, { ...hooks, signal })
        if (compacted.kind === 'built') return compacted.report
        if (compacted.kind === 'empty') return undefined
        // Another build was published a moment ago; the writer takes it over within a second.
        if (attempt === ATTEMPTS) throw new PathError(place, NOT_TAKEN_OVER)
        await sleep(TAKE_OVER_MS, undefined, { signal })
      }
    })
    return report
  } catch (error) {
    const mayGoOn = !(error instanceof IndexLockedError || error instanceof MiscompiledError)
    if (mayGoOn && (await isResumable(place))) {
      terminal.log(`finished work is kept; to go on, run the same command again: shardloom compact ${shellWord(given)}`)
    }
    throw error
  } finally {
    view?.end(report)
  }
}

function print(result: Compacted, { path: given, quiet }: CompactFlags): string[] {
  if (quiet) return []
  return result.compacted ? buildSummary(result.report, given) : [`nothing to compact in ${given}: ${result.reason}`]
}

function json(result: Compacted): object {
  return result.compacted ? { compacted: true, ...result.report } : result
}
