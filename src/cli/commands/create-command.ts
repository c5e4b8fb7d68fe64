import { createIndex } from '../../live/create-index.js'
import type { CREATE_COMMAND_OPTIONS } from '../../options/live-command-options.js'
import { shellWord } from '../../report/shell-word.js'
import { typedSchema } from '../../sources/fields/wanted-fields.js'
import type { CommandBody, OptionsOf } from '../command.js'

type CreateFlags = OptionsOf<typeof CREATE_COMMAND_OPTIONS>

interface Created {
  readonly path: string
  readonly dimensions: number
  readonly metric: string
}

export const createCommand: CommandBody<CreateFlags, Created> = {
  async run({ quiet: _quiet, json: _json, verbose: _verbose, path, fields, ...options }) {
    const schema = fields && typedSchema(fields, 'an index that is new has no file to tell it')
    const index = await createIndex(path, { ...options, ...(schema && { fields: schema }) })
    const { dimensions, metric } = index
    await index.close()
    return { path, dimensions, metric }
  },
  print: ({ path, dimensions, metric }, { quiet }) =>
    quiet
      ? []
      : [`created ${path}: ${dimensions} dimensions, ${metric}`, `next: shardloom upsert ${shellWord(path)} FILE`],
}
