import type { BuildOptions } from '../../api/build.js'

/**
 * What a configuration file holds: every option of `buildIndex` that is data, under its own name, and what only the command
 * line has. Paths are relative to the file's folder. Flags go before it.
 */
export interface ShardloomConfig extends Partial<Omit<BuildOptions, 'signal' | 'onProgress' | 'logger'>> {
  /** File of vectors, or several; '-' is standard input. */
  readonly input?: string | readonly string[]
  /** File with one id a line. */
  readonly ids?: string
  /** Of a table, such as Parquet: the column of vectors. Default: the only one of lists of floats. */
  readonly vectorColumn?: string
  /** Of such a table: the column of ids, text or integers. Default: none. */
  readonly idColumn?: string
  /** A page about the build is written there. */
  readonly report?: string
  /** File for node_exporter's textfile collector; it must end with .prom. Written when a build fails too. */
  readonly metricsFile?: string
  /** Say nothing but errors. */
  readonly quiet?: boolean
  /** What goes to stderr: text, the default, or one JSON object a line. */
  readonly logFormat?: 'text' | 'json'
}

/** Gives back what it is given; with it an editor knows the options in shardloom.config.ts or .js. */
export function defineConfig(config: ShardloomConfig): ShardloomConfig {
  return config
}
