import type { Command } from 'commander'
import { BUILD_COMMAND_OPTIONS } from '../../options/build-options.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { textFlag } from '../flags/flag-values.js'
import { addOptionFlags } from '../flags/option-flags.js'
import type { Session } from '../session.js'

const EXAMPLES = `
Input: fvecs, bvecs, fbin, u8bin, i8bin, npy, Parquet, Arrow, HDF5, or JSON lines ({"id": …, "vector": […]}, or OpenAI's batch output), also with
gzip or zstd; - is JSON lines from standard input.

Examples:
  $ shardloom build sift.bvecs --out sift.index
  $ shardloom build articles.npy --ids articles-ids.txt --metric cosine --out articles.index --memory 2GB
  $ shardloom build articles.parquet --id-column id --out articles.index
  $ shardloom build 'parts/*.npy' --out articles.index
  $ shardloom build articles.jsonl.gz --out articles.index --invalid skip --duplicates last
  $ psql -c '…' | shardloom build - --out articles.index
  $ shardloom build articles.npy --metric cosine --quantization sq8 --out articles.index
  $ shardloom build articles.npy --out articles.index --min-recall 0.95 --json > report.json
  $ shardloom build articles.npy --out articles.index --report report.html
  $ shardloom build --print-config

Options may also lie in shardloom.config.json, .ts, .js or .mjs, or under "shardloom" in package.json, in this folder or
one above, under their names in the API: keepGenerations, path. Flags go before the file, the file before defaults.`

export function addBuildCommand(program: Command, session: Session): void {
  const command = program
    .command('build')
    .summary('build an index and publish it as the live generation')
    .description('Builds an index out of a file or stream of vectors and publishes it as the live generation of DIR.')
    // Optional only so that none gets an answer of its own.
    .argument('[input...]', 'files of vectors, patterns of them, or - for standard input')
    .usage('<input...> --out DIR [options]')
  addOptionFlags(command, BUILD_COMMAND_OPTIONS)
  command
    .option('--config <FILE>', 'read options from this file, and search for none', textFlag('--config'))
    .option('--no-config', 'read no configuration file')
    .option('--print-config', 'print the options as they hold and where each comes from, and build nothing')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (inputs: string[]) => {
      const { runBuildCommand } = await import('./run-build-command.js')
      await runBuildCommand(inputs, command, session)
    })
}
