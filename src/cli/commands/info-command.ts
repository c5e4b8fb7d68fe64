import type { Tuning } from '../../api/measure.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { readManifest } from '../../format/generation/read-manifest.js'
import { readTunings } from '../../format/generation/tuning.js'
import type { INFO_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { infoJson, infoLines } from '../print/info-lines.js'

type InfoFlags = OptionsOf<typeof INFO_COMMAND_OPTIONS>

/** What is known of a generation without reading its segments. */
export interface IndexInfo {
  readonly manifest: Manifest
  readonly tuning: readonly Tuning[]
}

export const infoCommand: CommandBody<InfoFlags, IndexInfo> = {
  async run({ path }) {
    const { manifest, directory } = await readManifest(path)
    return { manifest, tuning: await readTunings(directory, manifest.generation) }
  },
  print: ({ manifest, tuning }, { path }) => infoLines(path, manifest, tuning),
  json: ({ manifest, tuning }, { path }) => infoJson(path, manifest, tuning),
}
