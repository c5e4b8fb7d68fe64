import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'
import { spillFailure } from '../../../spill/files/spill-failure.js'
import { CorruptSpillError } from '../../errors.js'
import { systemErrorCode } from '../../runtime/realms.js'

/** Some megabytes of names. */
const MOST_PLAIN = 50_000

/**
 * Paths in the folder that all hosts see, which each may mount elsewhere: relative in messages, with '/' between their
 * parts, absolute here.
 */
export class SharedPaths {
  /** Absolute. */
  readonly folder: string
  readonly #root: Promise<string>
  /** Folders whose links were followed: each is inside. */
  readonly #inside = new Set<string>()
  /** Files that are no links: many tasks read the same ones. */
  #plain = new Set<string>()

  constructor(folder: string) {
    this.folder = path.resolve(folder)
    this.#root = realpath(this.folder)
    // Asked for by the first `resolve`, which throws it.
    this.#root.catch(() => undefined)
  }

  /** Undefined for what is no absolute path inside. */
  relative(file: string): string | undefined {
    if (!path.isAbsolute(file)) return undefined
    const relative = path.relative(this.folder, file)
    const parts = relative.split(path.sep)
    if (relative === '' || parts[0] === '..' || path.isAbsolute(relative)) return undefined
    return parts.join('/')
  }

  /**
   * The absolute path of a relative one that someone else wrote. The file need not exist.
   * @throws CorruptSpillError when it leads out of the folder, by its parts or by a link; SHARDLOOM_SPILL_FAILED
   */
  async resolve(relative: string): Promise<string> {
    const file = this.absolute(relative)
    if (this.#plain.has(file)) return file
    try {
      await this.#followFolder(path.dirname(file), relative)
      const kind = await kindOf(file)
      if (kind === 'link') await this.#followLink(file, relative)
      if (kind === 'plain') this.#notePlain(file)
    } catch (error) {
      throw await spillFailure(file, 'follow the path', 0, error)
    }
    return file
  }

  /**
   * As `resolve`, without a look at links: for a file whose content is checked before it is used.
   * @throws CorruptSpillError when its parts lead out of the folder
   */
  absolute(relative: string): string {
    const parts = relative.split('/')
    const isSound = (part: string): boolean =>
      part !== '' && part !== '.' && part !== '..' && !part.includes('\0') && !(path.sep === '\\' && /[\\:]/.test(part))
    if (!parts.every(isSound)) throw outside(relative, 'is no path inside of the shared folder')
    return path.join(this.folder, ...parts)
  }

  /** The folder, or the nearest one above it that exists, is inside once all links are followed. */
  async #followFolder(folder: string, relative: string): Promise<void> {
    let at = folder
    while (!this.#inside.has(at)) {
      try {
        await this.#follow(at, relative)
        this.#inside.add(at)
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT' || at === this.folder) throw error
        if ((await kindOf(at)) === 'link') throw outside(relative, 'goes through a link to nothing')
        at = path.dirname(at)
      }
    }
  }

  #notePlain(file: string): void {
    if (this.#plain.size >= MOST_PLAIN) this.#plain = new Set()
    this.#plain.add(file)
  }

  async #followLink(file: string, relative: string): Promise<void> {
    try {
      await this.#follow(file, relative)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw outside(relative, 'is a link to nothing')
      throw error
    }
  }

  async #follow(file: string, relative: string): Promise<void> {
    const [root, target] = await Promise.all([this.#root, realpath(file)])
    if (target === root || target.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return
    throw outside(relative, `is a link out of the shared folder, to ${target}`)
  }
}

function outside(relative: string, reason: string): CorruptSpillError {
  return new CorruptSpillError(relative, 0, `the path of a task ${reason}`)
}

async function kindOf(file: string): Promise<'link' | 'plain' | 'missing'> {
  try {
    return (await lstat(file)).isSymbolicLink() ? 'link' : 'plain'
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 'missing'
    throw error
  }
}
