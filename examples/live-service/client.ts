/** The service as the load generator sees it: asks again while it is away, and notes how long each answer took. */
import { setTimeout as sleep } from 'node:timers/promises'

const AGAIN_MS = 50

export interface Hit {
  readonly id: string
  readonly distance: number
}

export class Client {
  /** Milliseconds of the answers, by what was asked. An answer that had to be asked for again is not among them. */
  readonly times = new Map<string, number[]>()
  /** Requests that were asked again: the service was away, or said that it was busy. */
  repeated = 0
  readonly #url: string
  readonly #label: string

  constructor(url: string, label = '') {
    this.#url = url
    this.#label = label
  }

  async search(vector: Float32Array, k: number): Promise<readonly Hit[]> {
    const answer = await this.#ask('search', '/search', { vector: Array.from(vector), k })
    return (answer as { hits: Hit[] }).hits
  }

  /** The vector stored under an id; undefined when there is none. */
  async get(id: string): Promise<readonly number[] | undefined> {
    return ((await this.#ask('get', `/vectors/${id}`)) as { vector?: number[] }).vector
  }

  async count(): Promise<number> {
    return ((await this.#ask('health', '/health')) as { count: number }).count
  }

  async upsert(records: readonly { readonly id: string; readonly vector: Float32Array }[]): Promise<void> {
    await this.#ask('upsert', '/upsert', {
      records: records.map(({ id, vector }) => ({ id, vector: Array.from(vector) })),
    })
  }

  async delete(ids: readonly string[]): Promise<void> {
    await this.#ask('delete', '/delete', { ids })
  }

  /** A change that is sent twice is the same change: an upsert or a delete may be repeated until it is acknowledged. */
  async #ask(what: string, path: string, body?: object): Promise<unknown> {
    for (let again = false; ; again = true) {
      const began = performance.now()
      const answer = await this.#once(path, body)
      if (answer !== undefined) {
        if (!again) this.#note(what, performance.now() - began)
        return answer
      }
      this.repeated++
      await sleep(AGAIN_MS)
    }
  }

  /** Undefined when the service is away or busy. */
  async #once(path: string, body: object | undefined): Promise<unknown> {
    let status: number
    let answer: unknown
    try {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const response = await fetch(this.#url + path, body === undefined ? {} : init)
      status = response.status
      answer = await response.json()
    } catch (error) {
      // fetch rejects with this alone when a connection is refused or breaks.
      if (error instanceof TypeError) return undefined
      throw error
    }
    if (status === 503) return undefined
    if (status !== 200 && status !== 404) throw new Error(`${path}: status ${status}: ${JSON.stringify(answer)}`)
    return answer
  }

  #note(what: string, ms: number): void {
    const name = this.#label + what
    const times = this.times.get(name) ?? []
    times.push(ms)
    this.times.set(name, times)
  }
}

/** A table of percentiles in milliseconds. */
export function timesTable(clients: readonly Client[]): string {
  const rows = clients.flatMap(({ times }) => [...times])
  const cells = rows.map(([what, unsorted]) => {
    const sorted = Float64Array.from(unsorted).sort()
    const at = (share: number): string => sorted[Math.ceil(share * sorted.length) - 1].toFixed(1)
    return [what, String(sorted.length), at(0.5), at(0.9), at(0.99), at(1)]
  })
  return [['', 'answers', 'p50 ms', 'p90', 'p99', 'slowest'], ...cells]
    .map(([what, ...numbers]) => what.padEnd(16) + numbers.map((cell) => cell.padStart(9)).join(''))
    .join('\n')
}
