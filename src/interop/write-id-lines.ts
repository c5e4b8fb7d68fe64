import type { ExportPass } from './export-pass.js'
import type { OutputFile } from './output-file.js'
import { storedIds } from '../rows/stored-graph.js'

/** The file of ids of an exported file: line n, from 0, is the id of node n as JSON. */
export async function writeIdLines(pass: ExportPass, out: OutputFile): Promise<void> {
  for await (const ids of storedIds(pass.graph)) {
    pass.checkpoint()
    await out.write(Buffer.from(`${ids.map((id) => JSON.stringify(id)).join('\n')}\n`, 'utf8'))
  }
}
