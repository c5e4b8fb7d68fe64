import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, open, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AbortedError, CorruptIndexError, InvalidOptionError, PathError } from '../../src/errors.js'
import { EXPORT_FORMATS } from '../../src/options/export-options.js'
import type { ExportFormat } from '../../src/api/interop.js'
import { exportIndex } from '../../src/interop/export-index.js'
import type { SegmentKind } from '../../src/format/segment/segment-file.js'
import { outcome, temporaryFolder, writeTinyIndex, type TinyIndex } from '../fixtures/index-files.js'
import { randomGraph, type TestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { readIdsFile } from '../fixtures/read-exported.js'

const folder = temporaryFolder()
let made = 0

/** A folder that holds only an index of integer ids. */
async function place(
  graph?: Partial<TestGraph>,
  ids?: readonly (string | number)[],
): Promise<{ at: string; index: string }> {
  const at = folder.path(`place-${made++}`)
  await mkdir(at)
  const whole = randomGraph({ seed: 5, metric: 'l2', count: 40, dimensions: 4, m: 4, levels: 2, values: 'reals' })
  await writeIndex(join(at, 'some.index'), { ...whole, ...graph }, ids)
  return { at, index: join(at, 'some.index') }
}

const filesIn = (at: string): string[] => readdirSync(at).filter((name) => name !== 'some.index')

describe.each(EXPORT_FORMATS)('an export to %s', (format) => {
  it('refuses to replace a file, and does not change it', async () => {
    const { at, index } = await place()
    await writeFile(join(at, 'out'), 'mine')
    const error = await outcome(exportIndex(index, { format, out: join(at, 'out') }))
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect((error as Error).message).toContain('out exists; name another file, or pass overwrite: true (--force)')
    expect(readFileSync(join(at, 'out'), 'utf8')).toBe('mine')
    expect(filesIn(at)).toEqual(['out'])
  })

  it('replaces a file with overwrite: true', async () => {
    const { at, index } = await place()
    await writeFile(join(at, 'out'), 'mine')
    const { bytes } = await exportIndex(index, { format, out: join(at, 'out'), overwrite: true })
    expect(readFileSync(join(at, 'out')).length).toBe(bytes)
  })

  it.each(['vectors', 'links', 'upper', 'ids'] as const)('writes nothing when %s are damaged', async (kind) => {
    if (format === 'fvecs' && (kind === 'links' || kind === 'upper')) return
    const at = folder.path(`place-${made++}`)
    await mkdir(at)
    const tiny = await writeTinyIndex(join(at, 'some.index'), { m: 4 })
    await writeFile(join(at, 'out'), 'mine')
    await flipLastDataBit(tiny, kind)
    const error = await outcome(exportIndex(tiny.indexDir, { format, out: join(at, 'out'), overwrite: true }))
    expect(error).toBeInstanceOf(CorruptIndexError)
    expect(readFileSync(join(at, 'out'), 'utf8')).toBe('mine')
    expect(filesIn(at)).toEqual(['out'])
  })

  it('ends between two runs when its signal fires, and leaves no file', async () => {
    const { at, index } = await place(
      randomGraph({ seed: 6, metric: 'l2', count: 3000, dimensions: 400, m: 4, levels: 1, values: 'reals' }),
    )
    const stop = new AbortController()
    const error = await outcome(
      exportIndex(index, { format, out: join(at, 'out'), signal: stop.signal, onProgress: () => stop.abort('enough') }),
    )
    expect(error).toBeInstanceOf(AbortedError)
    expect((error as AbortedError).message).toBe('the export was interrupted; no file was written')
    expect(filesIn(at)).toEqual([])
  })

  it('reports progress', async () => {
    const { at, index } = await place()
    const seen: { bytesWritten: number; totalBytes: number }[] = []
    const { bytes } = await exportIndex(index, { format, out: join(at, 'out'), onProgress: (now) => seen.push(now) })
    expect(seen.length).toBeGreaterThan(0)
    expect(new Set(seen.map(({ totalBytes }) => totalBytes))).toEqual(new Set([bytes]))
    const written = seen.map(({ bytesWritten }) => bytesWritten)
    expect(written).toEqual([...written].sort((a, b) => a - b))
  })
})

describe('an export', () => {
  it('removes the ids of a file that it replaces, when the new labels are the ids', async () => {
    const { at, index } = await place()
    const out = join(at, 'out')
    await writeFile(`${out}.ids.jsonl`, '"old"\n')
    expect(await outcome(exportIndex(index, { format: 'hnswlib', out }))).toBeInstanceOf(InvalidOptionError)
    await exportIndex(index, { format: 'hnswlib', out, overwrite: true })
    expect(filesIn(at)).toEqual(['out'])
  })

  it('replaces the ids too', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `id-${i}`)
    const { at, index } = await place({}, ids)
    const out = join(at, 'out')
    await writeFile(`${out}.ids.jsonl`, '"old"\n')
    await exportIndex(index, { format: 'usearch', out, overwrite: true })
    expect(readIdsFile(`${out}.ids.jsonl`)).toEqual(ids)
  })

  it.each([
    ['a link out of the graph', { neighbours: Array.from({ length: 40 }, () => [40]) }],
    [
      'a node of level 2 that is not on level 1',
      { upperLevels: [level([1, 2]), level([2, 3])], entryPoint: { node: 2, level: 2, index: 0 } },
    ],
    ['a level that does not ascend', { upperLevels: [level([2, 1])], entryPoint: { node: 2, level: 1, index: 0 } }],
    ['a level with a node too large', { upperLevels: [level([1, 40])], entryPoint: { node: 1, level: 1, index: 0 } }],
    [
      'an entry point that is another node',
      { upperLevels: [level([1, 2])], entryPoint: { node: 3, level: 1, index: 0 } },
    ],
    [
      'a link to no place of the level',
      { upperLevels: [level([1, 2], 2)], entryPoint: { node: 1, level: 1, index: 0 } },
    ],
  ])('refuses %s, however right its checksums', async (_, graph) => {
    const { at, index } = await place(graph)
    for (const format of ['hnswlib', 'usearch'] as const) {
      const error = await outcome(exportIndex(index, { format, out: join(at, 'out') }))
      expect(error).toBeInstanceOf(CorruptIndexError)
      expect(filesIn(at)).toEqual([])
    }
  })

  it('refuses an unknown format', async () => {
    const { at, index } = await place()
    const error = await outcome(exportIndex(index, { format: 'faiss' as ExportFormat, out: join(at, 'out') }))
    expect((error as Error).message).toBe('format must be one of hnswlib, usearch, fvecs, got "faiss"')
  })

  it('refuses to write into the index directory', async () => {
    const { index } = await place()
    const error = await outcome(exportIndex(index, { format: 'fvecs', out: join(index, 'CURRENT'), overwrite: true }))
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect((error as Error).message).toContain('lies in the index directory')
  })

  it.each(['folder', 'link'])('does not replace a %s', async (what) => {
    const { at, index } = await place()
    if (what === 'folder') await mkdir(join(at, 'out'))
    else await symlink('/dev/null', join(at, 'out'))
    const error = await outcome(exportIndex(index, { format: 'fvecs', out: join(at, 'out'), overwrite: true }))
    expect(error).toBeInstanceOf(PathError)
    expect(existsSync(join(at, 'out'))).toBe(true)
  })

  it('says that the folder of its file is missing', async () => {
    const { at, index } = await place()
    const error = await outcome(exportIndex(index, { format: 'fvecs', out: join(at, 'none/out') }))
    expect(error).toBeInstanceOf(PathError)
  })

  it('says that there is no index', async () => {
    const error = await outcome(exportIndex(folder.path('nothing'), { format: 'fvecs', out: folder.path('out') }))
    expect(error).toBeInstanceOf(PathError)
    expect(existsSync(folder.path('out'))).toBe(false)
  })
})

/** An upper level of two nodes on level 1; each links to place `to`. */
function level(nodes: readonly number[], to?: number): TestGraph['upperLevels'][number] {
  const links = new Uint32Array(nodes.length * 5)
  if (to !== undefined) nodes.forEach((_, i) => links.set([1, to], 5 * i))
  return { nodes: Uint32Array.from(nodes), down: Uint32Array.from(nodes), links }
}

async function flipLastDataBit({ directory, manifest }: TinyIndex, kind: SegmentKind): Promise<void> {
  const { name } = manifest.segments.findLast((file) => file.kind === kind) ?? { name: '' }
  const handle = await open(join(directory, name), 'r+')
  try {
    // Before the checksums of the only block and of the table.
    const at = (await handle.stat()).size - 9
    const { buffer } = await handle.read(new Uint8Array(1), 0, 1, at)
    await handle.write(Uint8Array.of(buffer[0] ^ 1), 0, 1, at)
  } finally {
    await handle.close()
  }
}
