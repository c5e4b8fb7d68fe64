// Compiles kernel/assembly to kernel/kernel.wasm, and the part that searches a shared memory to kernel/kernel-shared.wasm.
// Takes up to half a minute, so it is skipped when neither sources nor flags changed. Checksums tell, not times: a
// checkout gives every file a new time.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { checksum, filesBelow } from './checksum.mjs'
import { root, runTool } from './run-tool.mjs'

const sourceDir = path.join(root, 'kernel/assembly')
const common = ['-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--importMemory']
export const KERNELS = [
  { entry: 'index.ts', out: 'kernel.wasm', flags: [] },
  {
    entry: 'shared-index.ts',
    out: 'kernel-shared.wasm',
    flags: ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'],
  },
]

/** The compiler's version, the flags and all sources. */
function sourcesChecksum(flags) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'node_modules/assemblyscript/package.json'), 'utf8'))
  return checksum([version, ...flags], filesBelow(sourceDir))
}

/** Answers what was done. */
export async function buildKernel({ entry, out, flags }) {
  const target = path.join(root, 'kernel', out)
  const stamp = `${target}.sha256`
  const sources = sourcesChecksum([entry, ...common, ...flags])
  const stampOf = () => `sources ${sources}\nkernel ${checksum([], [target])}\n`
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf()) return 'unchanged'
  await runTool('assemblyscript/bin/asc.js', [path.join(sourceDir, entry), '-o', target, ...common, ...flags])
  writeFileSync(stamp, stampOf())
  return 'compiled by AssemblyScript'
}
