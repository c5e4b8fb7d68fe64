import { createIndex } from '../../live/create-index.js'
import type { CREATE_COMMAND_OPTIONS } from '../../options/live-command-options.js'
import { typedFields } from '../files/fields-of-index.js'
import { shellWord } from '../../report/shell-word.js'
import type { CommandBody, OptionsOf } from '../command.js'

type CreateFlags = OptionsOf<typeof CREATE_COMMAND_OPTIONS>

interface Created {
  readonly path: string
  readonly dimensions: number
  readonly metric: string
}

export const createCommand: CommandBody<CreateFlags, Created> = {
  async run({ quiet: _quiet, json: _json, verbose: _verbose, path, fields, ...options }) {
    const index = await createIndex(path, { ...options, ...(fields !== undefined && { fields: typedFields(fields) }) })
    const { dimensions, metric } = index
    await index.close()
    return { path, dimensions, metric }
  },
  print: ({ path, dimensions, metric }, { quiet }) =>
    quiet
      ? []
      : [`created ${path}: ${dimensions} dimensions, ${metric}`, `next: shardloom upsert ${shellWord(path)} FILE`],
}
