/**
 * Which distance tile this process uses: that of 4 x 8, or the wide one of 4 x 16. Their results are the same to the
 * bit. V8 can compute the wide one with 256-bit instructions, twice as many products in each, but only under a flag of
 * the whole process, which is an experiment of V8. So a program must ask for it; `shardloom build`, whose process does
 * nothing else, asks by itself. Without the flag the wide tile is slower: its 16 sums leave no register free.
 */
import { setFlagsFromString } from 'node:v8'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

export type TileName = '4x8' | '4x16'

const FLAG = '--experimental-wasm-revectorize'
/** What worker threads take over from the thread that started them. */
const KEY = 'shardloom.tile'
/** Only these were tried. An engine that does not know the flag would print that. */
const NODE_MAJORS = [24, 25, 26]

let chosen: TileName | undefined

/** Of a process: what decides whether its engine knows the flag. */
export type Engine = Pick<NodeJS.Process, 'platform' | 'arch'> & { readonly versions: NodeJS.Dict<string> }

export function knowsTheFlag({ versions, platform, arch }: Engine): boolean {
  // Bun and Deno call themselves Node.js too.
  if (versions['bun'] !== undefined || versions['deno'] !== undefined) return false
  const major = Number(versions['node']?.split('.')[0])
  return NODE_MAJORS.includes(major) && arch === 'x64' && (platform === 'linux' || platform === 'win32')
}

/**
 * The tile of all threads of this process. The first call chooses it, and must come before the kernel is compiled and
 * before threads are started: SHARDLOOM_WIDE decides where it is set; else the flag, if it was given to Node.js.
 */
export function tileName(): TileName {
  chosen ??= (getEnvironmentData(KEY) as TileName | undefined) ?? choose(false)
  return chosen
}

/** For a process that does nothing but one build: without SHARDLOOM_WIDE, the wide tile wherever it is faster. */
export function preferWideTile(): void {
  chosen ??= choose(true)
}

function choose(byDefault: boolean): TileName {
  const known = knowsTheFlag(process)
  const given = process.execArgv.some((arg) => arg.replaceAll('_', '-') === FLAG)
  const { SHARDLOOM_WIDE: said } = process.env
  const wide = said === '1' || (said !== '0' && known && (given || byDefault))
  // Set again where it was given it changes nothing.
  if (wide && known) setFlagsFromString(FLAG)
  const name: TileName = wide ? '4x16' : '4x8'
  setEnvironmentData(KEY, name)
  return name
}
