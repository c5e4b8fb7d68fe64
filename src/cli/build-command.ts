import path from 'node:path'
import type { Command } from 'commander'
import { buildIndex } from '../build/build-index.js'
import { MAX_DIMENSIONS, MAX_STALL_SECONDS } from '../build/resolve-options.js'
import { isResumable } from '../build/workspace.js'
import { STORAGES } from '../format/code-shape.js'
import { DEFAULT_ENGINE, ENGINE_NAMES } from '../engines/engine-by-name.js'
import { IndexLockedError, InvalidOptionError } from '../errors.js'
import { openVectorFile } from '../sources/open-vector-file.js'
import type {
  BuildOptions,
  BuildReport,
  EngineName,
  Logger,
  Metric,
  ProgressEvent,
  Quality,
  Storage,
} from '../types.js'
import { buildSummary } from './build-summary.js'
import { addCommonFlags, STORAGE_HELP } from './common-flags.js'
import { byteSizeFlag, byteSizeOrZeroFlag, choiceFlag, fractionFlag, integerFlag, textFlag } from './flag-values.js'
import { interruptible } from './interrupt.js'
import { progressText } from './progress-text.js'
import { shellWord } from './shell-word.js'
import type { CommonFlags, Session } from './session.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Input: fvecs, bvecs, fbin, u8bin, i8bin, npy, or JSON lines ({"id": …, "vector": […]}, or OpenAI's batch output), also with
gzip or zstd; - is JSON lines from standard input.

Examples:
  $ shardloom build sift.bvecs --out sift.index
  $ shardloom build articles.npy --ids articles-ids.txt --metric cosine --out articles.index --memory 2GB
  $ shardloom build articles.jsonl.gz --out articles.index --invalid skip --duplicates last
  $ psql -c '…' | shardloom build - --out articles.index
  $ shardloom build articles.npy --metric cosine --storage sq8 --out articles.index
  $ shardloom build articles.npy --out articles.index --min-recall 0.95 --json > report.json`

interface BuildFlags extends CommonFlags {
  readonly out: string
  readonly metric?: Metric
  readonly ids?: string
  readonly dimensions?: number
  readonly memory?: number
  readonly threads?: number
  readonly m?: number
  readonly quality?: Quality | 'auto'
  readonly engine?: EngineName
  readonly storage?: Storage
  readonly duplicates?: 'error' | 'first' | 'last'
  readonly invalid?: 'error' | 'skip'
  readonly minRecall?: number
  readonly keepGenerations?: number
  readonly tempDir?: string
  /** False with --no-resume. */
  readonly resume: boolean
  readonly stallSeconds?: number
  readonly queueBytes?: number
  readonly seed?: number
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export function addBuildCommand(program: Command, session: Session): void {
  const command = program
    .command('build')
    .summary('build an index and publish it as the live generation')
    .description('Builds an index out of a file or stream of vectors and publishes it as the live generation of DIR.')
    // Variadic only so that a second input gets an answer of its own.
    .argument('<input...>', 'file of vectors, or - for standard input')
    .usage('<input> --out DIR [options]')
    .requiredOption('--out <DIR>', 'the index directory; created when missing', textFlag('--out'))
    .option('--metric <M>', 'l2, cosine or ip (default: l2)', choiceFlag('--metric', ['l2', 'cosine', 'ip']))
    .option(
      '--ids <FILE>',
      "text file with one id a line (default: the record's id, or its position)",
      textFlag('--ids'),
    )
    .option('--dimensions <N>', 'expected length of every vector', integerFlag('--dimensions', 1, MAX_DIMENSIONS))
    .option('--memory <SIZE>', 'memory budget, as 512MB or 2GiB (default: what is there)', byteSizeFlag('--memory'))
    .option('--threads <N>', 'worker threads at most (default: the cores)', integerFlag('--threads', 1, 1024))
    .option('--m <N>', 'links per node, 4 to 64; twice that on level 0 (default: 16)', integerFlag('--m', 4, 64))
    .option(
      '--quality <Q>',
      'balanced, high, or auto: tried on a sample (default: auto)',
      choiceFlag('--quality', ['auto', 'balanced', 'high']),
    )
    .option(
      '--engine <E>',
      `shard engine: ${ENGINE_NAMES.join(' or ')} (default: ${DEFAULT_ENGINE})`,
      choiceFlag('--engine', ENGINE_NAMES),
    )
    .option('--storage <S>', STORAGE_HELP, choiceFlag('--storage', STORAGES))
    .option(
      '--duplicates <P>',
      'an id given twice: error, first or last wins (default: error)',
      choiceFlag('--duplicates', ['error', 'first', 'last']),
    )
    .option(
      '--invalid <P>',
      'NaN, infinity, or zero under cosine: error or skip (default: error)',
      choiceFlag('--invalid', ['error', 'skip']),
    )
    .option('--min-recall <R>', 'do not publish below this measured recall@10', fractionFlag('--min-recall'))
    .option(
      '--keep-generations <N>',
      'old generations kept beside the live one (default: 1)',
      integerFlag('--keep-generations', 0, 1000),
    )
    .option('--temp-dir <DIR>', 'where spill files go (default: DIR/build)', textFlag('--temp-dir'))
    .option('--queue-bytes <SIZE>', 'bytes of queues held in memory at most', byteSizeOrZeroFlag('--queue-bytes'))
    .option(
      '--stall-seconds <N>',
      'end when the input gives nothing, or a task no answer, for so long; 0 never (default: 1800)',
      integerFlag('--stall-seconds', 0, MAX_STALL_SECONDS),
    )
    .option(
      '--seed <N>',
      'same input, options and seed: same bytes (default: 1)',
      integerFlag('--seed', 0, 2 ** 32 - 1),
    )
    .option('--no-resume', 'start afresh, and keep nothing when interrupted')
    .option('--quiet', 'say nothing but errors')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (inputs: string[], flags: BuildFlags) => {
      const { terminal } = session
      const input = oneInput(inputs)
      const report = await interruptible(terminal, (signal) => build(input, flags, terminal, signal)).catch(
        async (error: unknown) => {
          if (flags.resume && !(error instanceof IndexLockedError) && (await isResumable(flags.out))) {
            terminal.log(
              `what is finished is kept in ${path.join(flags.out, 'build')}; ${howToGoOn(process.argv.slice(2))}`,
            )
          }
          throw error
        },
      )
      if (flags.json === true) terminal.printJson(report)
      else if (flags.quiet !== true) for (const line of buildSummary(report, flags.out)) terminal.print(line)
    })
}

/** The same command, which goes on, and how to give up what is kept. */
function howToGoOn(args: readonly string[]): string {
  const command = ['shardloom', ...args].map(shellWord).join(' ')
  return `to go on, run the same command again: ${command}; --no-resume starts afresh`
}

function oneInput(inputs: readonly string[]): string {
  if (inputs.length === 1) return inputs[0]
  throw new InvalidOptionError(
    `build takes one input, got ${inputs.length}: ${inputs.join(', ')}; pipe several as JSON lines into shardloom build -`,
  )
}

async function build(input: string, flags: BuildFlags, terminal: Terminal, signal: AbortSignal): Promise<BuildReport> {
  const file = await openVectorFile(input, { ids: flags.ids, invalid: flags.invalid })
  try {
    if (input === '-' && process.stdin.isTTY && flags.quiet !== true) {
      terminal.log('reading JSON lines from the terminal: {"id": "a", "vector": [1, 2]}; Ctrl-D ends')
    }
    const sourceFingerprint = await file.fingerprint()
    const options: BuildOptions = {
      path: flags.out,
      // Known counts let the plan refuse before a row is read.
      count: file.count,
      dimensions: flags.dimensions ?? file.dimensions,
      metric: flags.metric,
      memory: flags.memory,
      threads: flags.threads,
      m: flags.m,
      quality: flags.quality,
      engine: flags.engine,
      storage: flags.storage,
      duplicates: flags.duplicates,
      invalid: flags.invalid,
      minRecall: flags.minRecall,
      keepGenerations: flags.keepGenerations,
      tempDir: flags.tempDir,
      stallSeconds: flags.stallSeconds,
      queueBytes: flags.queueBytes,
      resume: flags.resume,
      sourceFingerprint,
      seed: flags.seed,
      signal,
      ...(flags.quiet !== true && {
        logger: loggerOn(terminal, flags.verbose === true),
        onProgress: (event: ProgressEvent) => terminal.status(progressText(event)),
      }),
    }
    // A pipe gives its bytes once: its build cannot be resumed.
    return await buildIndex(
      sourceFingerprint === undefined ? file.batches() : (startAt) => file.batches(startAt),
      options,
    )
  } finally {
    await file.close()
  }
}

/** Stages one a line where no line can be rewritten; warnings everywhere. */
function loggerOn(terminal: Terminal, verbose: boolean): Logger {
  return {
    info: (message) => {
      if (!terminal.isLive || verbose) terminal.log(message)
    },
    warn: (message) => terminal.log(`warning: ${message}`),
  }
}
