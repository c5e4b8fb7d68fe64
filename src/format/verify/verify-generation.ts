/**
 * Checks every byte and every link of a generation, in bounded memory: chunks, the nodes of two upper levels, one bit
 * for each stored id, and the codebook. Continues after a problem, so that one run finds all of them.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Kernel } from '../../../kernel/kernel.js'
import { PathError } from '../../errors.js'
import { linkRowProblem } from '../graph/check-links.js'
import { CURRENT_NAME } from '../generation/current.js'
import { readFailure, systemErrorCode } from '../bytes/file-errors.js'
import { MANIFEST_NAME, type Manifest } from '../generation/manifest.js'
import { loadManifest } from '../generation/read-manifest.js'
import { SegmentReader } from '../segment/segment-reader.js'
import { FIELD_FILE_KINDS } from '../segment/field-files.js'
import { type SegmentFile, linksStrideBytes } from '../segment/segment-file.js'
import { verifyColumns } from './verify-columns.js'
import { verifyFields } from './verify-fields.js'
import { IdTableCheck, PairSum, readStoredId, verifyIds } from './verify-ids.js'
import type { VerifyFindings } from './verify-report.js'
import { isTuningFile, readTunings, TUNING_NAME } from '../generation/tuning.js'
import { fileOffset, verifySegment, type SegmentCheck, type VisitRecords } from './verify-segment.js'
import { verifyCodebook, verifyCodes } from './verify-codes.js'
import { verifyTexts } from './verify-text.js'
import { verifyUpper } from './verify-upper.js'

/** A generation whose manifest was read. */
export interface LoadedGeneration {
  readonly manifest: Manifest
  readonly directory: string
  /** Of the manifest. */
  readonly bytes: number
}

/**
 * The live generation of an index directory; undefined when CURRENT or the manifest is damaged, which is added to
 * `findings`. @throws PathError when nothing was ever published there
 */
export async function loadGeneration(
  indexDir: string,
  findings: VerifyFindings,
): Promise<LoadedGeneration | undefined> {
  try {
    const live = await loadManifest(indexDir)
    findings.filesChecked += [CURRENT_NAME, MANIFEST_NAME].length
    findings.bytesChecked += live.bytes
    return live
  } catch (error) {
    if (error instanceof PathError) throw error
    findings.addError(error)
    return undefined
  }
}

/** Checks every byte under a checksum, every link, every id and every code. `tell`: called with the file, often. */
export async function verifyGeneration(
  { manifest, directory }: LoadedGeneration,
  findings: VerifyFindings,
  tell: (name: string) => void,
): Promise<void> {
  const checkOf = (file: SegmentFile): SegmentCheck => ({
    path: join(directory, file.name),
    file,
    manifest,
    findings,
    onBytes: (bytes) => {
      findings.bytesChecked += bytes
      tell(file.name)
    },
  })
  const ofKind = (kind: SegmentFile['kind']): SegmentCheck[] =>
    manifest.segments.filter((file) => file.kind === kind).map(checkOf)

  const soundVectors = new Map<number, SegmentCheck>()
  for (const check of ofKind('vectors')) {
    if (await verifySegment(check)) soundVectors.set(check.file.firstNode, check)
  }
  for (const check of ofKind('links')) await verifySegment(check, linkVisitor(check))
  if (manifest.quantization !== 'f32')
    await verifyStoredCodes(ofKind('codebook'), ofKind('codes'), soundVectors, findings)
  for (const check of ofKind('upper')) {
    await verifySegment(check, undefined, (reader) => verifyUpper(reader, manifest, findings))
  }
  await verifyStoredIds(ofKind('ids'), ofKind('id-table'), findings)
  await verifyStoredFields(ofKind, manifest, findings)
  await verifyTuning(directory, manifest, findings)
  await findStrangers(directory, manifest, findings)
}

function linkVisitor({ path, file, manifest, findings }: SegmentCheck): VisitRecords {
  const { m, count } = manifest
  const rowWords = linksStrideBytes(m) / 4
  return (words, dataOffset) => {
    let node = file.firstNode + dataOffset / (4 * rowWords)
    for (let at = 0; at < words.length; at += rowWords, node++) {
      findings.linksChecked += Math.min(words[at], 2 * m)
      const problem = linkRowProblem(words, at, { maxLinks: 2 * m, targetCount: count, self: node })
      if (problem === undefined) continue
      findings.add({ path, offset: fileOffset(dataOffset + 4 * at), reason: `node ${node}: ${problem}` })
    }
  }
}

/** Codes are compared with vectors only where vectors and codebook are undamaged: the damage is reported already. */
async function verifyStoredCodes(
  codebookChecks: readonly SegmentCheck[],
  codeChecks: readonly SegmentCheck[],
  soundVectors: ReadonlyMap<number, SegmentCheck>,
  findings: VerifyFindings,
): Promise<void> {
  let codebook: Float32Array | undefined = codebookChecks.length === 0 ? new Float32Array(0) : undefined
  for (const check of codebookChecks) {
    await verifySegment(check, undefined, async (reader) => {
      codebook = await verifyCodebook(reader, findings)
    })
  }
  const kernel = Kernel.create()
  for (const check of codeChecks) {
    const { file, manifest } = check
    await verifySegment(check, undefined, async (reader) => {
      const vectors = soundVectors.get(file.firstNode)
      if (vectors === undefined || codebook === undefined) return
      await verifyCodes(reader, vectors, { kernel, manifest, codebook }, findings)
    })
  }
}

async function verifyStoredIds(
  idChecks: readonly SegmentCheck[],
  tableChecks: readonly SegmentCheck[],
  findings: VerifyFindings,
): Promise<void> {
  const stored = new PairSum()
  const before = findings.problemCount
  for (const check of idChecks) {
    await verifySegment(check, undefined, (reader) => verifyIds(reader, stored, findings))
  }
  for (const check of tableChecks) {
    const { path, manifest } = check
    const table = new IdTableCheck(path, manifest.count, findings)
    await verifySegment(check, (words, dataOffset) => table.visit(words, dataOffset))
    // With damage on either side the sums differ anyway, and ids that look equal may be damaged.
    if (findings.problemCount > before) return
    if (!table.pairs.equals(stored)) {
      findings.add({ path, reason: 'the table does not match the stored ids' })
      return
    }
    const { distinctIds } = manifest
    if (distinctIds === undefined) await findRepeatedIds(table.equalHashes, idChecks, findings)
    else if (table.distinctHashes !== distinctIds) {
      findings.add({ path, reason: `it has ${table.distinctHashes} ids, the manifest says ${distinctIds}` })
    }
  }
}

async function verifyStoredFields(
  ofKind: (kind: SegmentFile['kind']) => SegmentCheck[],
  { fields }: Manifest,
  findings: VerifyFindings,
): Promise<void> {
  if (fields === undefined) return
  const rows = ofKind('fields')
  const before = findings.problemCount
  for (const check of rows) {
    await verifySegment(check, undefined, (reader) => verifyFields(reader, fields, findings))
  }
  const areRowsSound = findings.problemCount === before
  const sound = new Map<string, SegmentCheck>()
  for (const check of FIELD_FILE_KINDS.flatMap(ofKind)) {
    if (await verifySegment(check)) sound.set(check.file.name, check)
  }
  // Rows that are damaged are reported already, and nothing can be compared with them.
  if (areRowsSound) await verifyColumns(fields, rows, sound, findings)
  await verifyTexts(fields, sound, findings)
}

async function findRepeatedIds(
  pairs: readonly (readonly [number, number])[],
  idChecks: readonly SegmentCheck[],
  findings: VerifyFindings,
): Promise<void> {
  for (const [a, b] of pairs) {
    const id = await storedId(a, idChecks)
    if (id === (await storedId(b, idChecks))) {
      const [{ path }] = idChecks
      findings.add({ path, reason: `nodes ${a} and ${b} have the same id ${JSON.stringify(id)}` })
    }
  }
}

async function storedId(node: number, idChecks: readonly SegmentCheck[]): Promise<unknown> {
  for (const { path, file } of idChecks) {
    if (node < file.firstNode || node >= file.firstNode + file.count) continue
    const reader = await SegmentReader.open(path, file)
    try {
      return await readStoredId(reader, node - file.firstNode)
    } finally {
      await reader.close()
    }
  }
  throw new RangeError(`node ${node} is in no ids segment`)
}

/** Checks the beam widths stored after the build, if there are any. */
async function verifyTuning(directory: string, { generation }: Manifest, findings: VerifyFindings): Promise<void> {
  try {
    const { size } = await stat(join(directory, TUNING_NAME))
    await readTunings(directory, generation)
    findings.filesChecked++
    findings.bytesChecked += size
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') findings.addError(readFailure(join(directory, TUNING_NAME), error))
  }
}

/** Reports files that the manifest does not list: leftovers or mistakes, which no other check would find. */
async function findStrangers(directory: string, manifest: Manifest, findings: VerifyFindings): Promise<void> {
  const known = new Set([MANIFEST_NAME, ...manifest.segments.map(({ name }) => name)])
  try {
    for (const name of (await readdir(directory)).sort()) {
      if (!known.has(name) && !isTuningFile(name))
        findings.add({ path: join(directory, name), reason: 'the manifest does not list this file' })
    }
  } catch (error) {
    findings.addError(readFailure(directory, error))
  }
}
