// npm run test:environments [-- words]: packs the package, installs it and the tools in a temporary folder, and runs a
// build and a search in each environment whose name has one of the words. It downloads half a gigabyte from npm.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENVIRONMENTS } from './environments.mjs'
import { runEnvironment } from './run-environment.mjs'

const words = process.argv.slice(2).map((word) => word.toLowerCase())
const chosen = ENVIRONMENTS.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word)),
)
const folder = mkdtempSync(path.join(tmpdir(), 'shardloom-environments-'))
const project = path.join(folder, 'project')

const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const install = (cwd, ...packages) => npm(cwd, 'install', '--no-audit', '--no-fund', '--silent', ...packages)

/** The program of a package that is a runtime or a compiler, in a folder of its own. */
function runtimeOf(name) {
  const home = path.join(folder, name.replaceAll(/[@.]/g, '-'))
  if (!existsSync(home)) {
    mkdirSync(home)
    writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n')
    install(home, name)
  }
  const node = process.platform === 'win32' ? 'node/bin/node.exe' : 'node/bin/node'
  return path.join(home, 'node_modules', name.startsWith('typescript') ? 'typescript/bin/tsc' : node)
}

let failed = 0
try {
  cpSync(fileURLToPath(new URL('project/', import.meta.url)), project, { recursive: true })
  const repository = fileURLToPath(new URL('../../', import.meta.url))
  const packed = npm(repository, 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder).trim()
  install(project, path.join(folder, packed), ...new Set(chosen.flatMap(({ packages = [] }) => packages)))
  for (const environment of chosen) {
    const started = performance.now()
    let ended = 'ok'
    try {
      await runEnvironment(environment, project, environment.runtime && runtimeOf(environment.runtime))
    } catch (error) {
      failed++
      ended = `FAILED: ${error.message}`
    }
    console.log(`${environment.name.padEnd(48)} ${ended} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${chosen.length - failed} of ${chosen.length} environments work`)
if (failed > 0) process.exitCode = 1
