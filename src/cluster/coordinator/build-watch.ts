import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../runtime/realms.js'
import type { BuildNotice, HostNotice } from '../messages.js'
import type { GivenTasks } from './given-tasks.js'
import type { HostList } from './host-list.js'

/** Where builds and hosts give notice of themselves. */
export interface NoticeBoard {
  announce(notice: BuildNotice): Promise<void>
  hosts(queue: string): Promise<readonly HostNotice[]>
}

export interface BuildWatchParts {
  readonly board: NoticeBoard
  readonly notice: () => BuildNotice
  readonly hosts: HostList
  readonly given: GivenTasks
  readonly onEvent: (kind: string, message: string) => void
  readonly onTrouble: (message: string) => void
  /** How to start a host, for whoever waits for one. */
  readonly howToStart: string
  readonly nowMs: () => number
  /** Between two looks for hosts. Default 500 ms: each renews its notice every second. */
  readonly lookMs?: number
}

const LOOK_MS = 500
/** The build's own notice is renewed, and its jobs are checked, at every so many looks. */
const LOOKS_PER_CHECK = 4
const NO_HOST_MS = 10_000

/** Looks after the hosts of a build, and tells what happens to them. Ends after `stop()`. */
export class BuildWatch {
  readonly #parts: BuildWatchParts
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  /** Settles after `stop()`, when no look is under way any more. */
  readonly ended: Promise<void>
  /** Since when tasks wait and no host works. */
  #aloneMs: number | undefined
  #isAloneTold = false

  constructor(parts: BuildWatchParts) {
    this.#parts = parts
    this.#timer = setInterval(() => this.#watch(), (parts.lookMs ?? LOOK_MS) / 2)
    this.ended = this.#lookUntilClosed()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stop.abort()
  }

  async #lookUntilClosed(): Promise<void> {
    const { signal } = this.#stop
    for (let look = 0; !signal.aborted; look++) {
      try {
        await this.#look(look % LOOKS_PER_CHECK === 0)
      } catch (error) {
        // Also the end of the connection, when a build closes while Redis is away.
        if (!signal.aborted) this.#parts.onTrouble(`looking for hosts failed: ${messageOf(error)}`)
      }
      await sleep(this.#parts.lookMs ?? LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #look(isCheck: boolean): Promise<void> {
    const { board, notice, hosts, given, nowMs } = this.#parts
    const { queue } = notice()
    if (isCheck) await board.announce(notice())
    for (const change of hosts.update(await board.hosts(queue), nowMs())) {
      if (change.kind === 'refused') {
        this.#parts.onEvent('worker-refused', `host ${change.host} takes no tasks: ${change.reason}`)
        continue
      }
      const tasks = given.runningOn(change.host)
      if (tasks === 0) continue
      const how = change.kind === 'silent' ? 'says nothing any more' : 'has left'
      this.#parts.onEvent('host-lost', `host ${change.host} ${how}: ${tasks} of its tasks go to other hosts`)
    }
    if (isCheck) await given.check()
  }

  #watch(): void {
    const { given, hosts, nowMs, howToStart, onEvent } = this.#parts
    given.watch()
    if (given.size === 0 || hosts.workingCount > 0) {
      this.#aloneMs = undefined
      this.#isAloneTold = false
      return
    }
    const now = nowMs()
    this.#aloneMs ??= now
    if (this.#isAloneTold || now - this.#aloneMs < NO_HOST_MS) return
    this.#isAloneTold = true
    onEvent('no-hosts', `no host has taken a task for ${NO_HOST_MS / 1000} s; start one: ${howToStart}`)
  }
}
