import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program of node_modules in the root folder of the repository. Rejects when it ends with another code than 0. */
export function runTool(tool, args) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../node_modules/${tool}`, import.meta.url)), ...args], {
    stdio: 'inherit',
    cwd: root,
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${tool} ended with ${signal ?? code}`))
    })
  })
}
