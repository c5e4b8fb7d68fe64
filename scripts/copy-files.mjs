// What neither tsc nor the bundler makes: puts the compiled kernels beside what loads them, and the entry of threads, which
// is CommonJS, beside the bundled tasks.
import { copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { KERNELS } from './build-kernel.mjs'
import { root } from './run-tool.mjs'

function copy(from, to) {
  mkdirSync(path.dirname(path.join(root, to)), { recursive: true })
  copyFileSync(path.join(root, from), path.join(root, to))
}

export function copyFiles() {
  for (const { out } of KERNELS) {
    for (const dist of ['dist', 'dist/bundle']) copy(`kernel/${out}`, `${dist}/kernel/${out}`)
  }
  copy('dist/workers/entry.cjs', 'dist/bundle/workers/entry.cjs')
  copy('dist/workers/live-entry.cjs', 'dist/bundle/workers/live-entry.cjs')
}
