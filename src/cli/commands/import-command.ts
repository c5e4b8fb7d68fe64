import type { Command } from 'commander'
import { MAX_DIMENSIONS } from '../../options/limits.js'
import { QUANTIZATIONS } from '../../format/graph/quantized-shape.js'
import type { BuildReport, Quantization } from '../../api/report.js'
import type { Metric } from '../../api/vectors.js'
import { buildSummary } from '../screen/build-summary.js'
import { openBuildView } from '../screen/build-view.js'
import { addCommonFlags, QUANTIZATION_HELP } from '../flags/common-flags.js'
import { byteSizeFlag, choiceFlag, fractionFlag, integerFlag, textFlag } from '../flags/flag-values.js'
import { interruptible } from '../interruptible.js'
import type { CommonFlags, Session } from '../session.js'

const EXAMPLES = `
Reads what hnswlib's saveIndex (hnswlib-node, Python, C++) writes on 64-bit machines. The file tells neither metric nor
dimensions. Labels become ids; elements marked as deleted are left out. The graph stays as it is and is proved.

Examples:
  $ shardloom import articles.bin --dimensions 768 --metric cosine --out articles.index
  $ shardloom import articles.bin --dimensions 768 --metric cosine --ids articles.bin.ids.jsonl --out articles.index`

interface ImportFlags extends CommonFlags {
  readonly dimensions: number
  readonly metric: Metric
  readonly out: string
  readonly ids?: string
  readonly quantization?: Quantization
  readonly memory?: number
  readonly threads?: number
  readonly tempDir?: string
  readonly minRecall?: number
  readonly keepGenerations?: number
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export function addImportCommand(program: Command, session: Session): void {
  const command = program
    .command('import')
    .summary('turn an hnswlib file into an index')
    .description('Turns a file of hnswlib into an index and publishes it as the live generation of DIR.')
    .argument('<FILE>', 'the file of hnswlib')
    .requiredOption('--dimensions <N>', 'length of every vector', integerFlag('--dimensions', 1, MAX_DIMENSIONS))
    .requiredOption('--metric <M>', 'l2, cosine or ip', choiceFlag('--metric', ['l2', 'cosine', 'ip']))
    .requiredOption('--out <DIR>', 'the index directory; created when missing', textFlag('--out'))
    .option('--ids <FILE>', 'one id a line, for labels 0, 1, 2, …: text, or JSON in a .jsonl', textFlag('--ids'))
    .option('--quantization <S>', QUANTIZATION_HELP, choiceFlag('--quantization', QUANTIZATIONS))
    .option('--memory <SIZE>', 'memory budget, as 512MB or 2GiB (default: what is there)', byteSizeFlag('--memory'))
    .option('--threads <N>', 'worker threads at most (default: the cores)', integerFlag('--threads', 1, 1024))
    .option('--temp-dir <DIR>', 'where temporary files go (default: DIR/build)', textFlag('--temp-dir'))
    .option('--min-recall <R>', 'do not publish below this measured recall@10', fractionFlag('--min-recall'))
    .option(
      '--keep-generations <N>',
      'old generations kept beside the live one (default: 1)',
      integerFlag('--keep-generations', 0, 1000),
    )
    .option('--quiet', 'say nothing but errors')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ImportFlags) => {
      const { terminal } = session
      const { dimensions, metric, out, ids, quantization, memory, threads, tempDir, minRecall, keepGenerations } = flags
      const quiet = flags.quiet === true
      // Loaded when it runs, so that other commands start without it.
      const { importIndex } = await import('../../interop/import-index.js')
      const view = quiet ? undefined : await openBuildView(terminal, { verbose: flags.verbose === true, json: false })
      let report: BuildReport | undefined
      try {
        report = await interruptible(terminal, (signal) =>
          importIndex(path, {
            path: out,
            dimensions,
            metric,
            ids,
            quantization,
            memory,
            threads,
            tempDir,
            minRecall,
            keepGenerations,
            signal,
            ...(view !== undefined && { logger: view.logger, onProgress: view.onProgress }),
          }),
        )
      } finally {
        view?.end(report)
      }
      if (flags.json === true) terminal.printJson(report)
      else if (!quiet) for (const line of buildSummary(report, out)) terminal.print(line)
    })
}
