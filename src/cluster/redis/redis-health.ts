import type { RedisClient } from './load-redis.js'

export interface HealthListeners {
  /** The connection is lost; once, however many attempts to make it again fail. */
  readonly onLost: (reason: string) => void
  readonly onBack: (seconds: number) => void
}

/** A connection that breaks again sooner was not back: a server that has become a replica is connected to again and again. */
const STEADY_MS = 1000

/** Tells when a connection that was there is lost, and when it is back to stay. */
export class RedisHealth {
  readonly #client: RedisClient
  readonly #listeners: HealthListeners
  #lostAt: number | undefined
  /** Runs while it is back, and nothing was told yet. */
  #steady: NodeJS.Timeout | undefined
  #lastFailure = ''

  constructor(client: RedisClient, listeners: HealthListeners) {
    this.#client = client
    this.#listeners = listeners
    client.on('error', this.#onError)
    client.on('close', this.#onClose)
    client.on('ready', this.#onReady)
  }

  get isLost(): boolean {
    return this.#lostAt !== undefined && this.#steady === undefined
  }

  /** Tells nothing more. */
  close(): void {
    clearTimeout(this.#steady)
    this.#client.off('error', this.#onError)
    this.#client.off('close', this.#onClose)
    this.#client.off('ready', this.#onReady)
  }

  readonly #onError = (error: Error): void => {
    this.#lastFailure = error.message
  }

  readonly #onClose = (): void => {
    clearTimeout(this.#steady)
    this.#steady = undefined
    if (this.#lostAt !== undefined) return
    this.#lostAt = performance.now()
    this.#listeners.onLost(this.#lastFailure || 'the server closed the connection')
  }

  readonly #onReady = (): void => {
    if (this.#lostAt === undefined) return
    const seconds = (performance.now() - this.#lostAt) / 1000
    this.#steady = setTimeout(() => {
      this.#steady = undefined
      this.#lostAt = undefined
      this.#lastFailure = ''
      this.#listeners.onBack(seconds)
    }, STEADY_MS)
  }
}
