import { readCurrent } from '../../format/generation/current.js'
import { readManifest } from '../../format/generation/read-manifest.js'
import { readTunings } from '../../format/generation/tuning.js'
import { readParts } from '../../format/live/parts-file.js'
import type { INFO_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { infoJson, infoLines, type ChangedInfo, type IndexInfo } from '../print/info-lines.js'

type InfoFlags = OptionsOf<typeof INFO_COMMAND_OPTIONS>

export const infoCommand: CommandBody<InfoFlags, IndexInfo> = {
  async run({ path }) {
    const changed = await changesOf(path)
    if (changed !== undefined && (await readCurrent(path)) === undefined) return { built: undefined, changed }
    const { manifest, directory } = await readManifest(path)
    return { built: { manifest, tuning: await readTunings(directory, manifest.generation) }, changed }
  },
  print: (info, { path }) => infoLines(path, info),
  json: (info, { path }) => infoJson(path, info),
}

async function changesOf(path: string): Promise<ChangedInfo | undefined> {
  if ((await readParts(path)) === undefined) return undefined
  // Dead rows are known when the logs are read: only an open index has done so.
  const { openToRead } = await import('../../search/view/open-to-read.js')
  const index = await openToRead(path)
  try {
    const { count, dimensions, metric, m, quantization, live } = index
    return { count, dimensions, metric, m, quantization, live }
  } finally {
    await index.close()
  }
}
