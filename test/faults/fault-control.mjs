/** The fault to inject and a log of operations, in memory shared by all threads of a process. */

/** Faults of an operation: a system error, or a short, torn or delayed operation. */
export const FAULT_KINDS = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'short', 'torn', 'delayed']

const WORDS = { version: 0, armed: 1, nth: 2, seen: 3, kind: 4, hit: 5, logged: 6, rootBytes: 7, siteBytes: 8 }
const ROOT_AT = 64
const SITE_AT = 1024
const LOG_AT = 4096
const LOG_BYTES = 2 ** 22
const RECORD_BYTES = 160

/** Names a site, with `#` for every number, so that files of one kind have one site. */
export function siteOf(thread, operation, relativePath) {
  return `${thread} ${operation} ${relativePath.replace(/\d+/g, '#').replace(/shardloom-[#a-f]+/, 'temp')}`
}

/** The faults that an operation can have, by its name. */
export function kindsOf(site) {
  const [, operation] = site.split(' ')
  const kinds = ['delayed', 'EIO']
  if (
    /^(?:write|writev|writeSync|writevSync|writeFile|mkdir|truncate|ftruncateSync|create|createSync|rename|sync|datasync)$/.test(
      operation,
    )
  ) {
    kinds.push('ENOSPC')
  }
  if (/^(?:open|openSync|create|createSync|readFile|writeFile|readdir)$/.test(operation)) kinds.push('EMFILE')
  if (
    /^(?:access|create|createSync|lstat|mkdir|open|openSync|readFile|readdir|rename|rm|rmdir|stat|statfs|writeFile)$/.test(
      operation,
    )
  ) {
    kinds.push('EACCES')
  }
  if (/^(?:write|writev|writeSync|writevSync|read|readv|readSync)$/.test(operation)) kinds.push('short')
  if (/^(?:write|writev|writeSync|writevSync|writeFile)$/.test(operation)) kinds.push('torn')
  return kinds
}

export class FaultControl {
  #words
  #bytes
  #version = -1
  #root = ''
  #site = ''

  /** `memory`: the memory of the FaultControl in another thread. */
  constructor(memory = new SharedArrayBuffer(LOG_AT + LOG_BYTES)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, 16)
    this.#bytes = Buffer.from(memory)
  }

  /** Starts to log operations below `root`; the nth operation at `fault.site` fails. */
  begin(root, fault) {
    const words = this.#words
    const { site = '', nth = 0, kind = FAULT_KINDS[0] } = fault ?? {}
    words[WORDS.rootBytes] = this.#bytes.write(root, ROOT_AT)
    words[WORDS.siteBytes] = this.#bytes.write(site, SITE_AT)
    words[WORDS.nth] = nth
    words[WORDS.seen] = words[WORDS.hit] = words[WORDS.logged] = 0
    words[WORDS.kind] = FAULT_KINDS.indexOf(kind)
    words[WORDS.armed] = fault === undefined ? 0 : 1
    Atomics.add(words, WORDS.version, 1)
  }

  /** Stops faults and the log. */
  end() {
    this.#words[WORDS.rootBytes] = 0
    this.#words[WORDS.armed] = 0
    Atomics.add(this.#words, WORDS.version, 1)
    return { hit: this.#words[WORDS.hit] === 1, operations: this.#operations() }
  }

  /** The path relative to the root; undefined for a file elsewhere. */
  relative(path) {
    this.#refresh()
    if (this.#root === '' || !path.startsWith(this.#root)) return undefined
    return path === this.#root ? '.' : path.slice(this.#root.length + 1)
  }

  /** The fault for the operation that is about to begin, if any. */
  faultAt(site) {
    const words = this.#words
    if (words[WORDS.armed] === 0 || site !== this.#site) return undefined
    if (Atomics.add(words, WORDS.seen, 1) + 1 !== words[WORDS.nth]) return undefined
    words[WORDS.hit] = 1
    return FAULT_KINDS[words[WORDS.kind]]
  }

  log(thread, operation, relativePath) {
    const record = Atomics.add(this.#words, WORDS.logged, 1)
    if ((record + 1) * RECORD_BYTES > LOG_BYTES) return
    const text = `${thread} ${operation} ${relativePath}\n`.slice(0, RECORD_BYTES)
    this.#bytes.write(text, LOG_AT + record * RECORD_BYTES)
  }

  #operations() {
    const count = this.#words[WORDS.logged]
    if (count * RECORD_BYTES > LOG_BYTES) throw new Error(`${count} operations are more than the log has room for`)
    return Array.from({ length: count }, (_, i) => {
      const at = LOG_AT + i * RECORD_BYTES
      const text = this.#bytes.toString('utf8', at, at + RECORD_BYTES)
      const [thread, operation, path] = text.slice(0, text.indexOf('\n')).split(' ')
      return { thread, operation, path }
    })
  }

  #refresh() {
    const version = Atomics.load(this.#words, WORDS.version)
    if (version === this.#version) return
    this.#version = version
    const text = (at, length) => this.#bytes.toString('utf8', at, at + length)
    this.#root = text(ROOT_AT, this.#words[WORDS.rootBytes])
    this.#site = text(SITE_AT, this.#words[WORDS.siteBytes])
  }
}
