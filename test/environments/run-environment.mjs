import { spawn } from 'node:child_process'

/** Runs the steps of an environment in its project; throws what was said when one does not end as it should. */
export async function runEnvironment({ steps }, project, runtime) {
  for (const { command, env, prints, fails } of steps) {
    const [program, ...args] = command.map((word) => (word === 'runtime' ? runtime : word))
    const ended = await run(program === 'node' ? process.execPath : program, args, project, env)
    const said = `${ended.stdout}\n${ended.stderr}`
    const isRight = fails === undefined ? ended.exitCode === 0 : ended.exitCode !== 0 && fails.test(said)
    if (!isRight || (prints !== undefined && ended.stdout.trim() !== prints)) {
      throw new Error(`${command.join(' ')} ended with ${ended.exitCode}: ${said.slice(0, 2000)}`)
    }
  }
}

/** Of the variables only those that a shell has: a test runner's own would reach the one that is run here. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG']

function run(program, args, cwd, env = {}) {
  const inherited = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]))
  const child = spawn(program, args, { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = { exitCode: null, stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => (ended[stream] += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ ...ended, exitCode }))
  })
}
