import { open } from 'node:fs/promises'
import { messageOf } from '../../runtime/realms.js'
import type { BuildNotice } from '../messages.js'
import type { SharedPaths } from '../files/shared-paths.js'

/** Why the folder that is mounted here is not the build's: undefined when it is. */
export async function whyOtherFolder(paths: SharedPaths, { marker }: BuildNotice): Promise<string | undefined> {
  const expected = `expected ${paths.folder}/${marker.file}`
  try {
    const text = await readStart(await paths.resolve(marker.file), Buffer.byteLength(marker.text) + 1)
    if (text === marker.text) return undefined
    return `does not see the shared folder of this build: ${expected} of this build, found another one`
  } catch (error) {
    return `does not see the shared folder of this build: ${expected} (${messageOf(error)})`
  }
}

async function readStart(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}
