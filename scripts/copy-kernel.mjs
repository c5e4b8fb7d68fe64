// tsc copies no binaries: puts the compiled kernels beside their loader.
import { copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { KERNELS } from './build-kernel.mjs'
import { root } from './run-tool.mjs'

export function copyKernels() {
  mkdirSync(path.join(root, 'dist/kernel'), { recursive: true })
  for (const { out } of KERNELS) copyFileSync(path.join(root, 'kernel', out), path.join(root, 'dist/kernel', out))
}
