// Compiles kernel/assembly to kernel/kernel.wasm. Skips the half minute that costs when no source is newer.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

const root = fileURLToPath(new URL('..', import.meta.url))
const sourceDir = path.join(root, 'kernel/assembly')
const out = path.join(root, 'kernel/kernel.wasm')

const newest = Math.max(
  statSync(fileURLToPath(import.meta.url)).mtimeMs,
  ...readdirSync(sourceDir).map((name) => statSync(path.join(sourceDir, name)).mtimeMs),
)
if (!existsSync(out) || statSync(out).mtimeMs < newest) {
  const asc = path.join(root, 'node_modules/assemblyscript/bin/asc.js')
  const flags = ['-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--importMemory']
  const run = spawnSync(process.execPath, [asc, path.join(sourceDir, 'index.ts'), '-o', out, ...flags], {
    stdio: 'inherit',
    cwd: root,
  })
  process.exitCode = run.status ?? 1
}
