/** Checks a published index and the changes since: its generation, then `live/`. */
import { PathError } from '../../errors.js'
import { readParts } from '../live/parts-file.js'
import { ProgressCalls } from './progress-calls.js'
import { loadGeneration, verifyGeneration, type LoadedGeneration } from './verify-generation.js'
import { liveBytes, verifyLive } from './verify-live.js'
import { VerifyFindings, type VerifyProgress, type VerifyReport } from './verify-report.js'

export type { VerifiedLive, VerifyProblem, VerifyProgress, VerifyReport } from './verify-report.js'

/**
 * Checks every byte under a checksum, every link, every id and every code of the live generation, and the changes since:
 * what is sealed, and the logs. A writer may go on meanwhile.
 * @throws PathError when nothing was ever published at `indexDir`; what `onProgress` throws, when all is checked;
 * InvalidOptionError. Damage is not thrown: it is in the report.
 */
export async function verifyIndex(
  indexDir: string,
  onProgress?: (progress: VerifyProgress) => void,
): Promise<VerifyReport> {
  const progress = new ProgressCalls(onProgress)
  const findings = new VerifyFindings()
  const base = await loadBase(indexDir, findings)
  const segmentBytes = base?.manifest.segments.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0
  const totalBytes = findings.bytesChecked + segmentBytes + (await liveBytes(indexDir))
  const tell = (name: string, moreBytes = 0): void =>
    progress.tell({ name, bytesChecked: findings.bytesChecked + moreBytes, totalBytes })
  if (base !== undefined) await verifyGeneration(base, findings, tell)
  const live = await verifyLive(indexDir, base?.manifest, findings, tell)
  progress.check()
  return findings.report(base?.manifest.generation, base?.manifest.count ?? 0, live)
}

/** Undefined when it is damaged, and before the first build of an index that began empty. */
async function loadBase(indexDir: string, findings: VerifyFindings): Promise<LoadedGeneration | undefined> {
  try {
    return await loadGeneration(indexDir, findings)
  } catch (error) {
    if (!(error instanceof PathError) || !(await hasChanges(indexDir))) throw error
    return undefined
  }
}

/** A damaged PARTS counts: it is reported later. */
async function hasChanges(indexDir: string): Promise<boolean> {
  try {
    return (await readParts(indexDir)) !== undefined
  } catch {
    return true
  }
}
