/** Every command: its words for the help, its options, and what runs it, which is loaded when one of them runs. */
import { BUILD_COMMAND_OPTIONS } from '../options/build-options.js'
import {
  CONFIG_FLAGS,
  ESTIMATE_COMMAND_OPTIONS,
  EXPORT_COMMAND_OPTIONS,
  FACETS_COMMAND_OPTIONS,
  GET_COMMAND_OPTIONS,
  IMPORT_COMMAND_OPTIONS,
  INFO_COMMAND_OPTIONS,
  PREVIOUS,
  RECALL_COMMAND_OPTIONS,
  REPORT_COMMAND_OPTIONS,
  SEARCH_COMMAND_OPTIONS,
  VERIFY_COMMAND_OPTIONS,
} from '../options/command-options.js'
import { defineCommand, type CliCommand } from './command.js'
import { LIVE_COMMANDS } from './live-command-table.js'
import { WORKER } from './worker-command-table.js'

const BUILD = defineCommand({
  name: 'build',
  summary: 'build an index and publish it as the live generation',
  description: 'Builds an index from a file or stream of vectors and publishes it as the live generation of DIR.',
  usage: '<input...> --out DIR [options]',
  options: { ...BUILD_COMMAND_OPTIONS, ...CONFIG_FLAGS },
  load: async () => (await import('./commands.js')).buildCommand,
  notes: `
Input: fvecs, bvecs, fbin, u8bin, i8bin, npy, Parquet, Arrow, HDF5, or JSON lines ({"id": …, "vector": […]}, or OpenAI's
batch output), also compressed with gzip or zstd; - is JSON lines from standard input.

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
  $ shardloom build /data/big.npy --out /mnt/shared/big.index --cluster redis://host:6379 --shared-dir /mnt/shared
  $ shardloom build --print-config

Options can also be in shardloom.config.json, .ts, .js or .mjs, or under "shardloom" in package.json, in this folder or
one above, with their names in the API: keepGenerations, path. Flags win over the file, and the file over defaults.
SHARDLOOM_CLUSTER and SHARDLOOM_SHARED_DIR stand for --cluster and --shared-dir.`,
})

const SEARCH = defineCommand({
  name: 'search',
  summary: 'search an index with a file of queries, and measure',
  description: 'Searches the live generation of DIR with every vector of a file, and measures speed and recall.',
  usage: '<DIR> <queries> [options]',
  options: SEARCH_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).searchCommand,
  notes: `
Queries: the formats that build reads. With --json:
{"results":[[{"id","distance","score"?,"fields"?}]],"recall"?,"ef","queriesPerSecond","p50Ms","p99Ms","tuning"?}.
With --text hits of the words are united with those of each query; without queries it finds the words alone, and prints
{"results":[[{"id","score","fields"?}]]}. --filter and --text need an index that was built with fields.
Without --ef a search uses the choice that is stored with the index for this k or the next larger one, else 64.
--target-recall takes the stored choice for that recall, or measures with 500 vectors of the index, chooses and stores.
Exit code 1 when no ef reaches it.

Examples:
  $ shardloom search sift.index sift_query.bvecs
  $ shardloom search sift.index --queries sift_query.bvecs -k 10 --ef 128 --ground-truth sift_gt.ivecs
  $ shardloom search sift.index --queries sift_query.bvecs --target-recall 0.95
  $ shardloom search words.index --queries query.npy --ground-truth gt.ivecs --ids words-ids.txt
  $ echo '{"vector":[1,0,0]}' | shardloom search my.index --queries - --json
  $ shardloom search news.index queries.npy --filter '{"category":"sport","price":{"$lt":20}}' --select title,url
  $ shardloom search news.index --text 'solar panels' --select title`,
})

const GET = defineCommand({
  name: 'get',
  summary: 'print vectors of an index by their ids, with their fields',
  description: 'Prints the vectors of DIR that have these ids, and their fields, as lines of JSON.',
  options: GET_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).getCommand,
  notes: `
A line is as build reads it: {"id","vector","fields"?}. An argument is the id that the index has: 7 is the integer 7, or
the text "7" where it has that. Exit code 1 when the index has not all of them.

Examples:
  $ shardloom get articles.index article-17 article-18
  $ shardloom get articles.index article-17 --json`,
})

const FACETS = defineCommand({
  name: 'facets',
  summary: 'count the values of a field of an index',
  description: 'Counts the vectors of DIR by the values of a field, most first.',
  options: FACETS_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).facetsCommand,
  notes: `
Fields of type keyword, keyword[], number, number[], date and boolean are counted. With --json:
{"field","counts":[{"value","count"}]}.

Examples:
  $ shardloom facets articles.index category
  $ shardloom facets articles.index tags --filter '{"category":"sport"}' --limit 5 --json`,
})

const RECALL = defineCommand({
  name: 'recall',
  summary: 'measure recall over ef against exact search, and choose ef',
  description: 'Measures recall and speed of the live generation of DIR over a range of ef, against exact search.',
  options: RECALL_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).recallCommand,
  notes: `
Without --queries it searches for vectors of the index, which are easier to find than new ones: prefer your own queries.
With --target-recall the choice is stored in DIR, and searches for this k without --ef use it. Exit code 1 when no ef
reaches it.

Examples:
  $ shardloom recall articles.index
  $ shardloom recall articles.index --queries queries.npy -k 100 --ef 100,200,400
  $ shardloom recall articles.index --queries queries.npy --target-recall 0.95`,
})

const INFO = defineCommand({
  name: 'info',
  summary: 'print what an index is',
  description: 'Prints what the live generation of DIR holds, how it was built, and its size on disk.',
  options: INFO_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).infoCommand,
  notes: `
Reads the manifest and checks that its files exist with their sizes; shardloom verify checks every byte.

Examples:
  $ shardloom info articles.index
  $ shardloom info articles.index --json`,
})

const REPORT = defineCommand({
  name: 'report',
  summary: 'write a page about an index and how it was built',
  description: 'Writes a self-contained HTML page about the live generation of DIR: its build, its graph, its files.',
  options: REPORT_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).reportCommand,
  notes: `
The page needs nothing else: no network, no script. Recall and speed are measured with vectors of the index when it is
small, or with --recall.

Examples:
  $ shardloom report articles.index --out report.html
  $ shardloom report articles.index --compare-generation ${PREVIOUS} --out report.html
  $ shardloom report articles.index --compare other.index --recall --queries queries.npy --out report.html`,
})

const VERIFY = defineCommand({
  name: 'verify',
  summary: 'check every byte and every link of an index',
  description: 'Checks the live generation of DIR: every byte, every link, every id.',
  options: VERIFY_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).verifyCommand,
  notes: `
Checks every byte against its checksum, every link and every id, in bounded memory. Exit code 4 when anything is wrong.

Examples:
  $ shardloom verify articles.index
  $ shardloom verify articles.index --json`,
})

const ESTIMATE = defineCommand({
  name: 'estimate',
  summary: 'estimate the memory and disk of a build, and the memory of its searches',
  description:
    'Estimates the memory and disk of a build by stage, the least budget it needs, and the memory of its searches.',
  options: ESTIMATE_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).estimateCommand,
  notes: `
Builds nothing. For searches it prints the memory that each quantization needs, and which one fits. Exit code 0 also
when the build does not fit: the answer is in the output ("fits").

Examples:
  $ shardloom estimate --count 1000000 --dimensions 1536
  $ shardloom estimate --count 10000000 --dimensions 768 --metric cosine --memory 4GB --json`,
})

const EXPORT = defineCommand({
  name: 'export',
  summary: 'write an index as a file that other programs load',
  description: 'Writes the live generation of DIR as a file of hnswlib or usearch, or as plain vectors.',
  options: EXPORT_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).exportCommand,
  notes: `
hnswlib: loads in hnswlib-node, and in hnswlib for Python and C++. usearch: loads, or opens as a view, in usearch 2.
fvecs: the vectors alone. Integer ids from 0 on are the file's labels; other ids go to FILE.ids.jsonl, line by line.

Examples:
  $ shardloom export articles.index --format hnswlib --out articles.bin
  $ shardloom export articles.index --format usearch --out articles.usearch --force
  $ shardloom export articles.index --format fvecs --out articles.fvecs`,
})

const IMPORT = defineCommand({
  name: 'import',
  summary: 'turn an hnswlib file into an index',
  description: 'Turns an hnswlib file into an index and publishes it as the live generation of DIR.',
  options: IMPORT_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).importCommand,
  notes: `
Reads what saveIndex of hnswlib (hnswlib-node, Python, C++) writes on 64-bit machines. The file states neither metric
nor dimensions. Labels become ids; elements marked as deleted are left out. The graph stays as it is and is proved.

Examples:
  $ shardloom import articles.bin --dimensions 768 --metric cosine --out articles.index
  $ shardloom import articles.bin --dimensions 768 --metric cosine --ids articles.bin.ids.jsonl --out articles.index`,
})

/** In the order of the help. */
export const COMMANDS: readonly CliCommand[] = [
  BUILD,
  SEARCH,
  GET,
  FACETS,
  RECALL,
  INFO,
  REPORT,
  VERIFY,
  ESTIMATE,
  EXPORT,
  IMPORT,
  ...LIVE_COMMANDS,
  WORKER,
]
