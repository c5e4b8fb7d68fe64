// tsc copies no binaries: put the compiled kernel beside its loader, and make the command line executable.
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'

const at = (name) => new URL(`../${name}`, import.meta.url)
mkdirSync(at('dist/kernel'), { recursive: true })
copyFileSync(at('kernel/kernel.wasm'), at('dist/kernel/kernel.wasm'))
if (existsSync(at('dist/src/cli/main.js'))) chmodSync(at('dist/src/cli/main.js'), 0o755)
