import type { HostReport } from '../api/report.js'
import { countText, plural } from './number-text.js'

/** The hosts of a build together. */
export interface HostFacts {
  /** Those that took tasks, or could have. */
  readonly working: readonly HostReport[]
  readonly refused: readonly HostReport[]
  /** Undefined: a host came and the build ended before it had said how many it has. */
  readonly threads: number | undefined
  readonly tasks: number
  readonly lostTasks: number
  readonly busySeconds: number
}

export function hostFacts(hosts: readonly HostReport[]): HostFacts {
  const working = hosts.filter(({ refused }) => refused === undefined)
  const sum = (of: (host: HostReport) => number): number => working.reduce((total, host) => total + of(host), 0)
  return {
    working,
    refused: hosts.filter(({ refused }) => refused !== undefined),
    threads: working.some(({ threads }) => threads === 0) ? undefined : sum(({ threads }) => threads),
    tasks: sum(({ tasks }) => tasks),
    lostTasks: sum(({ lostTasks }) => lostTasks),
    busySeconds: sum(({ busySeconds }) => busySeconds),
  }
}

/** '3 hosts, 1,241 tasks, 12 lost, 1 host refused'. */
export function hostsText(hosts: readonly HostReport[]): string {
  const { working, refused, tasks, lostTasks } = hostFacts(hosts)
  return [
    plural(working.length, 'host'),
    plural(tasks, 'task'),
    ...(lostTasks > 0 ? [`${countText(lostTasks)} lost`] : []),
    ...(refused.length > 0 ? [`${plural(refused.length, 'host')} refused`] : []),
  ].join(', ')
}
