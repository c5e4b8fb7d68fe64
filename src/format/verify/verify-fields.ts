/** Verifies the stored fields: every value of every row can be read. */
import { CorruptIndexError } from '../../errors.js'
import { FieldCodec } from '../../fields/field-codec.js'
import type { Field } from '../../fields/field.js'
import { isError } from '../../runtime/realms.js'
import { recordRuns } from '../segment/record-runs.js'
import type { SegmentReader } from '../segment/segment-reader.js'
import type { VerifyFindings } from './verify-report.js'

/** Reads the rows of one fields segment. The bytes themselves are verified already. */
export async function verifyFields(
  reader: SegmentReader,
  fields: readonly Field[],
  findings: VerifyFindings,
): Promise<void> {
  const codec = new FieldCodec(fields)
  for await (const run of recordRuns(reader)) {
    for (let i = 0; i < run.count; i++) {
      const problem = rowProblem(codec, run.bytesOf(i))
      if (problem === undefined) continue
      findings.addError(new CorruptIndexError(reader.path, `the fields of node ${run.firstNode + i}: ${problem}`))
    }
  }
}

function rowProblem(codec: FieldCodec, row: Uint8Array): string | undefined {
  try {
    codec.decode(row)
    return undefined
  } catch (error) {
    if (isError(error) && error.name === 'RangeError') return error.message
    throw error
  }
}
