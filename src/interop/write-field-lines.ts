import { CorruptIndexError } from '../errors.js'
import { FieldCodec } from '../fields/field-codec.js'
import type { Field } from '../fields/field.js'
import { FieldsByNode } from '../rows/stored-fields.js'
import { storedIds } from '../rows/stored-graph.js'
import type { ExportPass } from './export-pass.js'
import type { OutputFile } from './output-file.js'

/** The file of fields of an exported file: line n, from 0, is `{"id": …, "fields": {…}}` of node n. Dates are ISO 8601. */
export async function writeFieldLines(pass: ExportPass, out: OutputFile, fields: readonly Field[]): Promise<void> {
  const codec = new FieldCodec(fields)
  const rows = new FieldsByNode(pass.graph, fields)
  try {
    for await (const ids of storedIds(pass.graph)) {
      for (let done = 0; done < ids.length;) {
        pass.checkpoint()
        const some = await rows.next(ids.length - done)
        if (some.count === 0) throw new CorruptIndexError(pass.graph.directory, 'it has fewer field rows than ids')
        for (let i = 0; i < some.count; i++) {
          const line = JSON.stringify({ id: ids[done + i], fields: codec.decode(some.row(i)) })
          await out.write(Buffer.from(`${line}\n`, 'utf8'))
        }
        done += some.count
      }
    }
  } finally {
    await rows.close()
  }
}
