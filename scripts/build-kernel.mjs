// Compiles kernel/assembly to kernel/kernel.wasm, and the part for a shared memory to kernel/kernel-shared.wasm.
// Compiling takes half a minute: it is skipped when no source is newer than its output.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

const root = fileURLToPath(new URL('..', import.meta.url))
const sourceDir = path.join(root, 'kernel/assembly')
const common = ['-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--importMemory']
const modules = [
  { entry: 'index.ts', out: 'kernel.wasm', flags: [] },
  {
    entry: 'shared-index.ts',
    out: 'kernel-shared.wasm',
    flags: ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'],
  },
]

const newest = Math.max(
  statSync(fileURLToPath(import.meta.url)).mtimeMs,
  ...readdirSync(sourceDir, { recursive: true }).map((name) => statSync(path.join(sourceDir, name)).mtimeMs),
)
for (const { entry, out, flags } of modules) {
  const target = path.join(root, 'kernel', out)
  if (existsSync(target) && statSync(target).mtimeMs >= newest) continue
  const asc = path.join(root, 'node_modules/assemblyscript/bin/asc.js')
  const run = spawnSync(process.execPath, [asc, path.join(sourceDir, entry), '-o', target, ...common, ...flags], {
    stdio: 'inherit',
    cwd: root,
  })
  if (run.status !== 0) process.exit(run.status ?? 1)
}
