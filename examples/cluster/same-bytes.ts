/** Compares the files of two indexes. Their manifests differ: these say when each was built, and how long it took. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** The files that differ, and how much was compared. */
export interface Comparison {
  readonly different: readonly string[]
  readonly files: number
  readonly bytes: number
}

export async function compareIndexes(first: string, second: string): Promise<Comparison> {
  const [one, other] = await Promise.all([liveFiles(first), liveFiles(second)])
  const names = [...new Set([...one.keys(), ...other.keys()])].sort()
  const different: string[] = []
  let bytes = 0
  for (const name of names) {
    const [file, twin] = [one.get(name), other.get(name)]
    if (file === undefined || twin === undefined) {
      different.push(name)
      continue
    }
    const [ours, theirs] = await Promise.all([readFile(file), readFile(twin)])
    bytes += ours.length
    if (!ours.equals(theirs)) different.push(name)
  }
  return { different, files: names.length, bytes }
}

/** The segments of the live generation: name to path. */
async function liveFiles(index: string): Promise<Map<string, string>> {
  const [generation] = (await readFile(path.join(index, 'CURRENT'), 'utf8')).split(' ')
  const names = await readdir(path.join(index, generation))
  return new Map(
    names.filter((name) => name.endsWith('.seg')).map((name) => [name, path.join(index, generation, name)]),
  )
}
