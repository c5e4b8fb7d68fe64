import os from 'node:os'
import { findMemoryCgroup, unreclaimableBytes, type MemoryCgroup } from './memory-cgroup.js'

/** The memory that the machine reports, in bytes. */
export interface MemoryFacts {
  /** The limit of the narrowest cgroup, less the memory of other processes in it; undefined when there is none. */
  readonly cgroupBytes: number | undefined
  /** The kernel's estimate of what can be allocated without swapping. */
  readonly availableBytes: number
}

export interface MemoryBudget {
  readonly budgetBytes: number
  /** The smallest of the candidates. */
  readonly decidedBy: 'memory option' | 'cgroup limit' | 'available memory'
  /** For one message at the start, when the caller asked for more than there is. */
  readonly warning: string | undefined
}

/** Share of the available memory to plan with: the rest is for the page cache and for other processes. */
const AVAILABLE_SHARE = 0.8

/**
 * Reads the cgroup files, because `process.availableMemory()` counts the page cache of a cgroup as used, and
 * `process.constrainedMemory()` does not see the limits of the cgroups above.
 */
export function readMemoryFacts(group: MemoryCgroup | undefined = findMemoryCgroup()): MemoryFacts {
  const availableBytes = os.freemem()
  if (group === undefined) return { cgroupBytes: undefined, availableBytes }
  const others = (unreclaimableBytes(group) ?? 0) - process.memoryUsage.rss()
  return { cgroupBytes: group.limitBytes - Math.max(0, others), availableBytes }
}

/** The smallest of the memory option, the cgroup limit and 80% of the available memory. Pure. */
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
    warning:
      `memory is ${mb(requestedBytes)}, but ${mb(machineBytes)} are available (${machineSays}); ` +
      'planning with the smaller',
  }
}
