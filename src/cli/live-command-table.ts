/** The commands that change an index between two builds. */
import {
  COMPACT_COMMAND_OPTIONS,
  CREATE_COMMAND_OPTIONS,
  DELETE_COMMAND_OPTIONS,
  UPSERT_COMMAND_OPTIONS,
} from '../options/live-command-options.js'
import { defineCommand, type CliCommand } from './command.js'

const CREATE = defineCommand({
  name: 'create',
  summary: 'make an index without vectors, to upsert into',
  description: 'Makes an index without vectors in DIR. upsert fills it; compact makes its first build.',
  options: CREATE_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).createCommand,
  notes: `
An index that build made can be changed as it is: create is for one that begins empty.

Examples:
  $ shardloom create articles.index --dimensions 768 --metric cosine
  $ cat articles.jsonl | shardloom upsert articles.index -`,
})

const UPSERT = defineCommand({
  name: 'upsert',
  summary: 'add vectors to an index, each in place of the one with its id',
  description: 'Adds the vectors of files or of a stream to DIR, each in place of the one with its id.',
  usage: '<DIR> <input...> [options]',
  options: UPSERT_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).upsertCommand,
  notes: `
Input: the formats that build reads; every vector needs an id. Searches find the vectors at once. One process writes at
a time, beside searches and beside a build. When it is interrupted, what it has written stays, and the same command
again does no harm.

Examples:
  $ shardloom upsert articles.index changed.parquet --id-column id
  $ shardloom upsert articles.index changed.npy --ids changed-ids.txt
  $ psql -c '…' | shardloom upsert articles.index -
  $ shardloom compact articles.index`,
})

const DELETE = defineCommand({
  name: 'delete',
  summary: 'delete vectors of an index by their ids',
  description: 'Deletes vectors of DIR by their ids, which are arguments or the lines of a file.',
  usage: '<DIR> [id...] [options]',
  options: DELETE_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).deleteCommand,
  notes: `
An argument is the id that the index has: 7 is the integer 7, or the text "7" where it has that. The ids of a text file
are text; those of a .jsonl are JSON, where 7 is an integer and "7" is text. Ids that the index has not are counted, and
are no error.

Examples:
  $ shardloom delete articles.index article-17 article-18
  $ shardloom delete articles.index --ids deleted.txt
  $ shardloom delete articles.index --ids deleted.jsonl --json`,
})

const COMPACT = defineCommand({
  name: 'compact',
  summary: 'build an index anew from itself, with its changes',
  description: 'Builds the next generation of DIR from its vectors and all changes, and publishes it.',
  options: COMPACT_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).compactCommand,
  notes: `
Searches go on meanwhile, and so does a process that has DIR open for writing: what it has not sealed yet stays on top.
A compaction that was interrupted goes on when the same command runs again. Exit code 0 also when there is nothing to
compact.

Examples:
  $ shardloom compact articles.index
  $ shardloom compact articles.index --memory 2GB --min-recall 0.95 --quiet`,
})

export const LIVE_COMMANDS: readonly CliCommand[] = [CREATE, UPSERT, DELETE, COMPACT]
