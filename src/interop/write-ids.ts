/** The ids beside an exported file: the n-th line, counted from 0, is the id of node n as JSON. */
import type { ExportPass } from './export-pass.js'
import type { OutputFile } from './output-file.js'
import { storedIds } from './stored-graph.js'

export async function writeIds(pass: ExportPass, out: OutputFile): Promise<void> {
  for await (const ids of storedIds(pass.graph)) {
    pass.checkpoint()
    await out.write(Buffer.from(`${ids.map((id) => JSON.stringify(id)).join('\n')}\n`, 'utf8'))
  }
}
