import os from 'node:os'
import { findMemoryCgroup, unreclaimableBytes, type MemoryCgroup } from './memory-cgroup.js'

/** What the machine says of its memory, in bytes. */
export interface MemoryFacts {
  /** The limit of the narrowest cgroup, less what others in it hold; undefined when there is none. */
  readonly cgroupBytes: number | undefined
  /** What could be allocated now without swapping, as the kernel estimates it. */
  readonly availableBytes: number
}

export interface MemoryBudget {
  readonly budgetBytes: number
  /** Which of the candidates was the smallest. */
  readonly decidedBy: 'memory option' | 'cgroup limit' | 'available memory'
  /** Said once at the start, when the caller asked for more than there is. */
  readonly warning: string | undefined
}

/** Share of the available memory to plan with: the rest is for the page cache and for what else runs. */
const AVAILABLE_SHARE = 0.8

/**
 * `process.availableMemory()` would count the page cache of a cgroup as used, and `process.constrainedMemory()` does not
 * see the limits of the groups above: both are read here.
 */
export function readMemoryFacts(group: MemoryCgroup | undefined = findMemoryCgroup()): MemoryFacts {
  const availableBytes = os.freemem()
  if (group === undefined) return { cgroupBytes: undefined, availableBytes }
  const others = (unreclaimableBytes(group) ?? 0) - process.memoryUsage.rss()
  return { cgroupBytes: group.limitBytes - Math.max(0, others), availableBytes }
}

/** The smallest of the caller's wish, the cgroup limit and 80% of the available memory. Pure. */
export function decideBudget(requestedBytes: number | undefined, facts: MemoryFacts): MemoryBudget {
  const availableShareBytes = Math.floor(facts.availableBytes * AVAILABLE_SHARE)
  const cgroupBytes = facts.cgroupBytes ?? Number.POSITIVE_INFINITY
  const machineBytes = Math.min(cgroupBytes, availableShareBytes)
  const machineSays = cgroupBytes <= availableShareBytes ? 'cgroup limit' : 'available memory'
  if (requestedBytes === undefined) return { budgetBytes: machineBytes, decidedBy: machineSays, warning: undefined }
  if (requestedBytes <= machineBytes) {
    return { budgetBytes: requestedBytes, decidedBy: 'memory option', warning: undefined }
  }
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  return {
    budgetBytes: machineBytes,
    decidedBy: machineSays,
    warning: `memory ${mb(requestedBytes)} was asked for and ${mb(machineBytes)} are there (${machineSays}); planning with the smaller`,
  }
}
