// tsc copies no binaries: put the compiled kernels beside their loader, and make the command line executable.
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'

const at = (name) => new URL(`../${name}`, import.meta.url)
mkdirSync(at('dist/kernel'), { recursive: true })
for (const name of ['kernel.wasm', 'kernel-shared.wasm']) copyFileSync(at(`kernel/${name}`), at(`dist/kernel/${name}`))
if (existsSync(at('dist/src/cli/main.js'))) chmodSync(at('dist/src/cli/main.js'), 0o755)
