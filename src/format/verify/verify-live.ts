/**
 * Verifies `live/`: PARTS, dead rows, every part, and the logs. Holds the ids of one small part, or the sequences of one
 * large one.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { readFailure, systemErrorCode } from '../bytes/file-errors.js'
import { readCurrent } from '../generation/current.js'
import type { Manifest } from '../generation/manifest.js'
import { readDeadRows } from '../live/dead-rows-file.js'
import { COMPACTING_NAME, liveFolder } from '../live/live-paths.js'
import { readParts, type Parts } from '../live/parts-file.js'
import { verifyLogs } from './verify-logs.js'
import { verifyPart } from './verify-part.js'
import { VerifyFindings, type VerifiedLive } from './verify-report.js'

type VerifiedBase = Pick<Manifest, 'generation' | 'count' | 'liveSequence' | 'fields'>

/** Rows of a base that is not known. */
const ANY_ROWS = 2 ** 32

/**
 * Adds what is wrong to `findings`. Undefined when the index was never written to, or PARTS is damaged. A writer may
 * replace files while they are checked: problems count when PARTS and CURRENT are as they were before. `tell`: called
 * with the file, and the bytes that are not in `findings` yet.
 */
export async function verifyLive(
  indexDir: string,
  base: VerifiedBase | undefined,
  findings: VerifyFindings,
  tell: (name: string, moreBytes: number) => void,
): Promise<VerifiedLive | undefined> {
  for (;;) {
    const before = await marks(indexDir)
    const found = new VerifyFindings()
    const live = await verifyOnce(indexDir, base, found, (name) => tell(name, found.bytesChecked))
    if (found.problemCount > 0 && (await marks(indexDir)) !== before) continue
    findings.addAll(found)
    return live
  }
}

async function verifyOnce(
  indexDir: string,
  base: VerifiedBase | undefined,
  findings: VerifyFindings,
  tell: (name: string) => void,
): Promise<VerifiedLive | undefined> {
  let parts: Parts | undefined
  try {
    parts = await readParts(indexDir)
    await readParts(indexDir, COMPACTING_NAME)
  } catch (error) {
    findings.addError(error)
  }
  if (parts === undefined) return undefined
  findings.filesChecked++
  await verifyDeadRows(indexDir, parts, base, findings)
  let [rows, deletes] = [0, 0]
  for (const entry of parts.parts) {
    await verifyPart(indexDir, entry, parts, findings, tell)
    rows += entry.rows
    deletes += entry.deletes
  }
  const logs = await verifyLogs(indexDir, parts, base, findings, tell)
  return { parts: parts.parts.length, rows, deletes, ...logs }
}

async function verifyDeadRows(
  indexDir: string,
  { base: ofBase, parts, dead }: Parts,
  base: VerifiedBase | undefined,
  findings: VerifyFindings,
): Promise<void> {
  const baseRows = base?.generation === ofBase ? base.count : ANY_ROWS
  findings.filesChecked++
  findings.bytesChecked += dead.bytes
  try {
    await readDeadRows(indexDir, dead, [baseRows, ...parts.map(({ rows }) => rows)])
  } catch (error) {
    findings.addError(error)
  }
}

/** What a writer or a build replaces when files go. Damaged ones are a mark too: they stay so. */
async function marks(indexDir: string): Promise<string> {
  const texts = [readCurrent(indexDir), readParts(indexDir)].map((read) =>
    read.then(
      (value) => JSON.stringify(value),
      (error: unknown) => String(error),
    ),
  )
  return (await Promise.all(texts)).join()
}

/** Of all files in `live/`, 0 when there is none: what is to be checked, about. */
export async function liveBytes(indexDir: string): Promise<number> {
  const folder = liveFolder(indexDir)
  let sum = 0
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size
    }
    return sum
  } catch (error) {
    const code = systemErrorCode(error)
    // What is missing is reported when it is checked.
    if (code === 'ENOENT' || code === 'ENOTDIR') return sum
    const failure = readFailure(folder, error)
    if (failure instanceof CorruptIndexError) return sum
    throw failure
  }
}
