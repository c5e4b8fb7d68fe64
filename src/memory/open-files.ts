/** How many files this process may have open. Imports nothing but errors, to be loaded before all else. */
import { readdirSync, readFileSync } from 'node:fs'
import { OpenFilesError } from '../errors.js'

/** Node opens the modules of a program side by side while it loads them: with 90 it failed, with 128 it did not. */
export const LOADING_FILES = 128

/** Undefined where the system does not tell: only Linux has this file. Node has raised the soft limit to the hard one. */
export function openFilesLimit(): number | undefined {
  const limits = textOf('/proc/self/limits')
  const found = /^Max open files +(\d+)/m.exec(limits ?? '')?.[1]
  return found === undefined ? undefined : Number(found)
}

/** @throws OpenFilesError when the limit leaves less than `needed` files besides those that are open */
export function checkOpenFiles(what: string, needed: number, limit: number | undefined = openFilesLimit()): void {
  if (limit === undefined) return
  const open = openFiles(limit)
  if (open + needed > limit) throw new OpenFilesError({ what, needed, open, limit })
}

function openFiles(limit: number): number {
  try {
    // The listing is one itself.
    return readdirSync('/proc/self/fd').length - 1
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    // It could not be opened: there is room for no file.
    return limit
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}
