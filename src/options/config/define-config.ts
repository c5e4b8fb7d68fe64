import type { BuildOptions } from '../../api/build.js'
import type { FieldsToRead } from '../../sources/fields/wanted-fields.js'

/**
 * The content of a configuration file: every option of `buildIndex` that is data, and the options of `shardloom build`
 * only. Paths are relative to the file's folder. Flags win over the file.
 */
export interface ShardloomConfig extends Partial<
  Omit<BuildOptions, 'fields' | 'cluster' | 'signal' | 'onProgress' | 'logger'>
> {
  /**
   * Columns of the input that become fields: names, each with a type after a colon or without, as
   * `['category', 'price:number']`, or a schema, as `{ price: 'number' }`.
   */
  readonly fields?: FieldsToRead
  /** Other hosts run the tasks, by way of this Redis: 'redis://host:6379'. Needs `sharedDir`. */
  readonly cluster?: string
  // <generated options-config>
  /** File of vectors, or several; '-' is standard input. */
  readonly input?: string | readonly string[]
  /** File with one id a line: text, which is always a string; or JSON in a `.jsonl`. */
  readonly ids?: string
  /**
   * Column of the vectors in a table, array of npz or safetensors, or field of JSON, such as `data.vector`. Default:
   * the only one.
   */
  readonly vectorColumn?: string
  /** Column, array or field of the ids. */
  readonly idColumn?: string
  /** With --cluster: the folder that all hosts see; the index lies in it. */
  readonly sharedDir?: string
  /** With --cluster: a task whose host is silent for N seconds goes to another. Default 30. */
  readonly lockSeconds?: number
  /** Write a page about the build, compared with the build before. */
  readonly report?: string
  /** File for node_exporter's textfile collector; it must end with `.prom`. A failed build writes it too. */
  readonly metricsFile?: string
  /** Print nothing but errors. Default false. */
  readonly quiet?: boolean
  /** What goes to stderr: 'text', or 'json', one object a line. Default 'text'. */
  readonly logFormat?: 'text' | 'json'
  // </generated>
}

/** Returns its argument; with it an editor knows the options in shardloom.config.ts or .js. */
export function defineConfig(config: ShardloomConfig): ShardloomConfig {
  return config
}
