// Compiles to dist: the types that are published, and the modules one by one, for tests and measurements. Skipped when
// nothing changed, as dist/.sources tells; else tsc compiles what changed, as dist/.tsbuildinfo tells.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { checksum, filesBelow } from './checksum.mjs'
import { root, runTool } from './run-tool.mjs'

const dist = path.join(root, 'dist')
const SOURCES = '.sources'
const BUILD_INFO = '.tsbuildinfo'
/** Other versions of the compiler, or of types, compile to something else. */
const CONFIGURATION = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json']

/** All that is compiled, and what it declares. */
export function sourceNames() {
  const folders = ['src', 'workers', 'spill'].flatMap((name) => filesBelow(path.join(root, name)))
  const kernel = readdirSync(path.join(root, 'kernel')).map((name) => path.join(root, 'kernel', name))
  return [...folders, ...kernel].filter((file) => /\.c?ts$/.test(file)).map((file) => path.relative(root, file))
}

function outputsOf(name) {
  const [, stem, c] = /^(.*)\.(c?)ts$/.exec(name)
  return [`.${c}js`, `.${c}js.map`, `.d.${c}ts`].map((end) => stem + end)
}

/**
 * Deletes from dist what a deleted source once became: it would be packed. When an output is missing, deletes what tsc
 * remembers: it would not write that output again.
 */
function cleanDist(sources) {
  if (!existsSync(dist)) return
  const outputs = sources
    .filter((name) => !name.endsWith('.d.ts'))
    .flatMap((name) => outputsOf(name).map((output) => path.join(dist, output)))
  const expected = new Set(outputs)
  const found = new Set(filesBelow(dist))
  for (const file of found) {
    const isOthers = file.startsWith(path.join(dist, 'bundle')) || file === path.join(dist, '.bundled')
    const kept = isOthers || file.endsWith('.wasm') || [SOURCES, BUILD_INFO].includes(path.basename(file))
    if (!kept && !expected.has(file)) rmSync(file)
  }
  if (outputs.every((file) => found.has(file))) return
  for (const name of [SOURCES, BUILD_INFO]) rmSync(path.join(dist, name), { force: true })
}

/** Answers what was done. */
export async function buildDist() {
  const sources = sourceNames()
  cleanDist(sources)
  const now = checksum(
    [],
    [...CONFIGURATION, ...sources].map((name) => path.join(root, name)),
  )
  const stamp = path.join(dist, SOURCES)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return 'unchanged'
  await runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
  writeFileSync(stamp, now)
  return 'compiled by tsc'
}
