/** Verifies the logs of changes that are not sealed: frames, sequences, and that each log continues the one before. */
import { join } from 'node:path'
import type { Manifest } from '../generation/manifest.js'
import { checkChangeFields } from '../live/check-change-fields.js'
import { lastSequenceOf } from '../live/log-change.js'
import { logNumbers } from '../live/log-numbers.js'
import { liveFolder, logName } from '../live/live-paths.js'
import type { Parts } from '../live/parts-file.js'
import { readLog, type LogEnd } from '../live/read-log.js'
import type { VerifiedLive, VerifyFindings } from './verify-report.js'

type VerifiedLogs = Pick<VerifiedLive, 'logs' | 'changes' | 'sequence' | 'torn'>

/** Of a log's header, for problems: log-header.ts. */
const FIRST_SEQUENCE_OFFSET = 24
const CHAIN_OFFSET = 32

export async function verifyLogs(
  indexDir: string,
  parts: Parts,
  base: Pick<Manifest, 'liveSequence' | 'fields'> | undefined,
  findings: VerifyFindings,
  tell: (name: string) => void,
): Promise<VerifiedLogs> {
  const { firstLog, coveredSequence, settings } = parts
  const { dimensions, metric } = settings
  const numbers = (await logNumbers(indexDir)).filter((number) => number >= firstLog)
  const pathOf = (number: number): string => join(liveFolder(indexDir), logName(number))
  if (numbers[0] !== firstLog) {
    findings.add({ path: pathOf(firstLog), reason: 'PARTS names it, and it is missing' })
  }
  const inBase = base?.liveSequence ?? 0
  const { fields } = base ?? settings
  let changes = 0
  let sequence = coveredSequence
  let torn: VerifiedLogs['torn']
  let before: LogEnd | undefined
  for (const number of numbers) {
    const path = pathOf(number)
    const isNewest = number === numbers.at(-1)
    findings.filesChecked++
    let end: LogEnd | undefined
    try {
      end = await readLog(path, { dimensions, metric, number, newest: isNewest, sealed: !isNewest }, (change) => {
        changes += change.ids.length
        // What the base contains may have other fields.
        if (lastSequenceOf(change) > inBase) checkChangeFields(change, fields, path)
      })
      findings.bytesChecked += end.end
      const after = before ?? { lastSequence: coveredSequence, chain: undefined }
      const fault = orderFault(end, after, number === firstLog)
      if (fault !== undefined) findings.add({ path, ...fault })
      sequence = Math.max(sequence, end.lastSequence)
      if (end.torn !== undefined && isNewest) torn = { path, offset: end.torn.offset, reason: tornText(end.torn) }
    } catch (error) {
      findings.addError(error)
    }
    before = end
    tell(logName(number))
  }
  return { logs: numbers.length, changes, sequence, ...(torn !== undefined && { torn }) }
}

function tornText({ bytes, reason }: { readonly bytes: number; readonly reason: string }): string {
  return `${bytes} bytes at the end were never acknowledged (${reason})`
}

/** Why a log does not follow the changes before it. */
function orderFault(
  { facts }: LogEnd,
  before: { readonly lastSequence: number; readonly chain: number | undefined },
  isFirst: boolean,
): { readonly offset: number; readonly reason: string } | undefined {
  if (facts === undefined) return undefined
  if (before.chain !== undefined && facts.chain !== before.chain) {
    return { offset: CHAIN_OFFSET, reason: `it follows a log whose chain is ${facts.chain}, not ${before.chain}` }
  }
  const next = before.lastSequence + 1
  // Changes that are in the base as well may be in the first log still.
  if (isFirst ? facts.firstSequence > next : before.chain !== undefined && facts.firstSequence < next) {
    const reason = `it begins with change ${facts.firstSequence}, and the changes before it end with ${next - 1}`
    return { offset: FIRST_SEQUENCE_OFFSET, reason }
  }
  return undefined
}
