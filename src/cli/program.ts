import { Command } from 'commander'
import { packageVersion } from '../pipeline/run/package-version.js'
import { addBuildCommand } from './commands/build-command.js'
import { addEstimateCommand } from './commands/estimate-command.js'
import { addExportCommand } from './commands/export-command.js'
import { addImportCommand } from './commands/import-command.js'
import { addInfoCommand } from './commands/info-command.js'
import { addRecallCommand } from './commands/recall-command.js'
import { addReportCommand } from './commands/report-command.js'
import { addSearchCommand } from './commands/search-command.js'
import type { Session } from './session.js'
import { addVerifyCommand } from './commands/verify-command.js'

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
Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 not enough memory or disk, 4 corrupt, 130 interrupted.`

/** The whole command line. Parsing it throws a CommanderError or what the command throws; it never exits by itself. */
export function createProgram(session: Session): Command {
  const program = new Command('shardloom')
    .description('Builds one HNSW index out of more vectors than fit in memory, and searches it.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    // Errors are said in one place, run.ts, in the form of all other errors.
    .configureOutput({ writeErr: (text) => session.terminal.log(text.trimEnd()), outputError: () => undefined })
  addBuildCommand(program, session)
  addSearchCommand(program, session)
  addRecallCommand(program, session)
  addInfoCommand(program, session)
  addReportCommand(program, session)
  addVerifyCommand(program, session)
  addEstimateCommand(program, session)
  addExportCommand(program, session)
  addImportCommand(program, session)
  return program
}
