import { createHash, randomUUID } from 'node:crypto'
import { realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { InvalidOptionError } from '../../errors.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import type { BuildNotice } from '../messages.js'

/** What of a build's folders other hosts are told. */
export interface BuildFolders {
  readonly sharedDir: string
  readonly indexDir: string
  readonly spillDir: string
  readonly runSuffix: string
}

/** The name of a build's queue: the same for each run of it, from any host. */
export function queueName({ sharedDir, indexDir }: Pick<BuildFolders, 'sharedDir' | 'indexDir'>): string {
  const relative = path.relative(sharedDir, indexDir).split(path.sep).join('/')
  return `shardloom-${createHash('sha256').update(relative).digest('hex').slice(0, 16)}`
}

/** The folder for the results of one run's tasks. */
export function resultsFolder({ spillDir, runSuffix }: Pick<BuildFolders, 'spillDir' | 'runSuffix'>): string {
  return path.join(spillDir, `results${runSuffix}`)
}

/** No host follows a link out of the shared folder. @throws InvalidOptionError */
export async function checkFolders({ sharedDir, indexDir, spillDir }: BuildFolders): Promise<void> {
  const root = await realpath(sharedDir)
  for (const folder of [indexDir, spillDir]) {
    const real = await realpath(folder)
    if (real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) continue
    throw new InvalidOptionError(
      `'${folder}' leads to '${real}' by a link, outside of the shared folder '${root}', where hosts do not follow it; ` +
        `name a folder inside of it`,
    )
  }
}

/** Writes the file by which a host knows that it sees this folder. `relativeFolder`: of the results. */
export async function writeMarker(folder: string, relativeFolder: string): Promise<BuildNotice['marker']> {
  const text = randomUUID()
  const file = path.join(folder, 'marker')
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    throw writeFailure(file, text.length, error)
  }
  return { file: `${relativeFolder}/marker`, text }
}
