import { stat } from 'node:fs/promises'
import path from 'node:path'
import { DiskFullError } from '../../errors.js'
import { systemErrorCode } from '../../format/bytes/file-errors.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'

/** A full disk, with what helps this build: `tempDir` only where temporary files are on that disk. Others unchanged. */
export async function withFullDiskAdvice(
  error: unknown,
  { path: indexDir, tempDir }: Pick<ResolvedOptions, 'path' | 'tempDir'>,
): Promise<unknown> {
  if (!(error instanceof DiskFullError)) return error
  return new DiskFullError(
    { ...error.details, help: await helpFor(error.details.path, indexDir, tempDir) },
    error.cause,
  )
}

async function helpFor(full: string, indexDir: string, tempDir: string | undefined): Promise<string> {
  const isElsewhere =
    tempDir !== undefined && !isInside(tempDir, full) && (await diskOf(tempDir)) !== (await diskOf(indexDir))
  return isElsewhere
    ? `free space there, or build into a folder on a larger disk; temporary files are in ${tempDir} already`
    : 'free space, or point tempDir (--temp-dir) at a larger disk'
}

function isInside(folder: string, file: string): boolean {
  return !path.relative(folder, file).startsWith('..')
}

/** Undefined: the folder was never made. */
async function diskOf(folder: string): Promise<number | undefined> {
  try {
    return (await stat(folder)).dev
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    return undefined
  }
}
