import type { RedisClient } from './load-redis.js'

export interface HealthListeners {
  /** The connection is lost; once, however many attempts to make it again fail. */
  readonly onLost: (reason: string) => void
  readonly onBack: (seconds: number) => void
}

/** Tells when a connection that was there is lost, and when it is back. */
export class RedisHealth {
  readonly #client: RedisClient
  readonly #listeners: HealthListeners
  #lostAt: number | undefined
  #lastFailure = ''

  constructor(client: RedisClient, listeners: HealthListeners) {
    this.#client = client
    this.#listeners = listeners
    client.on('error', this.#onError)
    client.on('close', this.#onClose)
    client.on('ready', this.#onReady)
  }

  get isLost(): boolean {
    return this.#lostAt !== undefined
  }

  /** Tells nothing more. */
  close(): void {
    this.#client.off('error', this.#onError)
    this.#client.off('close', this.#onClose)
    this.#client.off('ready', this.#onReady)
  }

  readonly #onError = (error: Error): void => {
    this.#lastFailure = error.message
  }

  readonly #onClose = (): void => {
    if (this.#lostAt !== undefined) return
    this.#lostAt = performance.now()
    this.#listeners.onLost(this.#lastFailure || 'the server closed the connection')
  }

  readonly #onReady = (): void => {
    if (this.#lostAt === undefined) return
    const seconds = (performance.now() - this.#lostAt) / 1000
    this.#lostAt = undefined
    this.#lastFailure = ''
    this.#listeners.onBack(seconds)
  }
}
