import type { HostProgress } from '../../api/build.js'
import type { HostReport } from '../../api/report.js'
import type { HostNotice } from '../messages.js'

/** What the coordinator knows of one host. */
interface Host {
  notice: HostNotice | undefined
  /** When its notice last changed, on the coordinator's clock: clocks of hosts differ. */
  changedMs: number
  /** Its notice is there: not after it left, and not yet when Redis lost it. */
  isPresent: boolean
  /** It is silent for too long, or has left. */
  isGone: boolean
  isRefusalTold: boolean
  tasks: number
  busyMs: number
  lostTasks: number
  peakRssBytes: number
}

export type HostChange =
  | { readonly kind: 'refused'; readonly host: string; readonly reason: string }
  /** It says nothing any more. */
  | { readonly kind: 'silent'; readonly host: string }
  /** It has taken its notice away. */
  | { readonly kind: 'left'; readonly host: string }

/** Times of one notice that was read twice differ by less, those of two notices by more. */
const SAME_NOTICE_MS = 250

/** The hosts of a build, from their notices and from what they return. Pure; times are the caller's, in milliseconds. */
export class HostList {
  readonly #hosts = new Map<string, Host>()
  readonly #silentMs: number
  #updatedMs: number | undefined

  /** A host whose notice does not change for `silentMs` counts as dead. */
  constructor(silentMs: number) {
    this.#silentMs = silentMs
  }

  /** Takes over the notices that are there now, and tells what changed since the last time. */
  update(notices: readonly HostNotice[], nowMs: number): HostChange[] {
    // While nobody looked, because Redis was away, silence says nothing of a host.
    const unseenMs = Math.max(0, nowMs - (this.#updatedMs ?? nowMs) - this.#silentMs / 4)
    this.#updatedMs = nowMs
    const changes: HostChange[] = []
    const present = new Set<string>()
    for (const notice of notices) {
      present.add(notice.host)
      const host = this.#find(notice.host, nowMs)
      if (Math.abs(notice.at - (host.notice?.at ?? -Infinity)) > SAME_NOTICE_MS) {
        host.changedMs = nowMs
        host.isGone = false
      }
      host.notice = notice
      host.peakRssBytes = Math.max(host.peakRssBytes, notice.rssBytes)
      if (notice.state !== 'refused' || host.isRefusalTold) continue
      host.isRefusalTold = true
      changes.push({ kind: 'refused', host: notice.host, reason: notice.reason })
    }
    for (const [name, host] of this.#hosts) {
      host.isPresent = present.has(name)
      if (host.isGone || host.notice === undefined) continue
      host.changedMs += Math.min(unseenMs, nowMs - host.changedMs)
      const isSilent = nowMs - host.changedMs > this.#silentMs
      const hasLeft = !host.isPresent && host.notice.state !== 'working'
      if (!hasLeft && !isSilent) continue
      host.isGone = true
      changes.push({ kind: isSilent ? 'silent' : 'left', host: name })
    }
    return changes
  }

  /** The result of a task of this host is used. */
  used(
    host: string,
    { busyMs, rssBytes }: { readonly busyMs: number; readonly rssBytes: number },
    nowMs: number,
  ): void {
    const found = this.#find(host, nowMs)
    found.peakRssBytes = Math.max(found.peakRssBytes, rssBytes)
    found.tasks++
    found.busyMs += busyMs
  }

  /** A task that this host took brought nothing. */
  lost(host: string, nowMs: number): void {
    this.#find(host, nowMs).lostTasks++
  }

  /** Tasks that run at once on hosts that work. */
  get slots(): number {
    return this.#working.reduce((sum, { slots }) => sum + slots, 0)
  }

  /** Hosts that work. */
  get workingCount(): number {
    return this.#working.length
  }

  /** Whether a host works that is none of these. */
  hasOtherThan(hosts: ReadonlySet<string>): boolean {
    return this.#working.some(({ host }) => !hosts.has(host))
  }

  isGone(host: string): boolean {
    return this.#hosts.get(host)?.isGone === true
  }

  /** The hosts that are there, for whoever watches a build. */
  get progress(): readonly HostProgress[] {
    return this.#working.map(({ host, running, done }) => ({ host, running, done })).sort(byName)
  }

  get reports(): readonly HostReport[] {
    return Array.from(this.#hosts, ([host, { notice, tasks, busyMs, lostTasks, peakRssBytes }]): HostReport => {
      const { threads = 0, memoryBytes = 0 } = notice ?? {}
      const busySeconds = Math.round(busyMs) / 1000
      const report = { host, threads, tasks, busySeconds, lostTasks, peakRssBytes, memoryBytes }
      return notice?.state === 'refused' ? { ...report, refused: notice.reason } : report
    }).sort(byName)
  }

  get #working(): HostNotice[] {
    const working: HostNotice[] = []
    for (const { notice, isPresent, isGone } of this.#hosts.values()) {
      if (isPresent && !isGone && notice?.state === 'working') working.push(notice)
    }
    return working
  }

  #find(name: string, nowMs: number): Host {
    const found = this.#hosts.get(name)
    if (found !== undefined) return found
    const counts = { tasks: 0, busyMs: 0, lostTasks: 0, peakRssBytes: 0 }
    const flags = { isPresent: false, isGone: false, isRefusalTold: false }
    const host: Host = { notice: undefined, changedMs: nowMs, ...flags, ...counts }
    this.#hosts.set(name, host)
    return host
  }
}

function byName(a: { readonly host: string }, b: { readonly host: string }): number {
  return a.host < b.host ? -1 : 1
}
