import type { Manifest } from '../format/generation/manifest.js'
import { html, type Html } from './draw/html.js'
import { table } from './draw/table.js'
import { countText, plural } from './number-text.js'

export function filesSection({ segments }: Manifest): Html {
  return html` <section id="files" aria-labelledby="files-title">
    <h2 id="files-title">Files</h2>
    <p>CRC-32 of each whole file, as listed in the manifest. <code>shardloom verify</code> recomputes them.</p>
    <details>
      <summary>${plural(segments.length, 'file')} with checksums</summary>
      ${table({
        name: 'Files with checksums',
        head: ['File', 'First node', 'Nodes', 'Bytes', 'CRC-32'],
        rows: segments.map(({ name, firstNode, count, bytes, crc32 }) => [
          html`<code>${name}</code>`,
          countText(firstNode),
          countText(count),
          countText(bytes),
          html`<code>${crc32.toString(16).padStart(8, '0')}</code>`,
        ]),
      })}
    </details>
  </section>`
}
