import { Command } from 'commander'
import { packageVersion } from '../host/package-version.js'
import { COMMANDS } from './command-table.js'
import { exitCodesLine } from './exit-codes.js'
import type { Session } from './session.js'

const EXAMPLES = `
Examples:
  $ shardloom build articles.npy --out articles.index --metric cosine --ids articles-ids.txt
  $ cat articles.jsonl | shardloom build - --out articles.index --memory 2GB
  $ shardloom search articles.index --queries queries.npy -k 10
  $ shardloom recall articles.index --queries queries.npy --target-recall 0.95
  $ shardloom report articles.index --out report.html
  $ shardloom verify articles.index
  $ shardloom estimate --count 10000000 --dimensions 768 --memory 8GB

Every command takes --json: one JSON object on stdout, logs on stderr; a failure is {"error":{"code","message"}}.
${exitCodesLine()}`

/** The whole command line. Parsing it throws a CommanderError or the command's error; it never exits the process. */
export function createProgram(session: Session): Command {
  const program = new Command('shardloom')
    .description('Builds one HNSW index from more vectors than fit in memory, and searches it.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    // run.ts prints errors, all in one form.
    .configureOutput({ writeErr: (text) => session.terminal.log(text.trimEnd()), outputError: () => undefined })
  for (const command of COMMANDS) command.addTo(program, session)
  return program
}
