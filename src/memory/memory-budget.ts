import os from 'node:os'
import { shareOfMemory, type MemoryClaim } from './running-builds.js'
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
  readonly decidedBy: 'memory option' | 'cgroup limit' | 'available memory' | 'other builds'
  /** For one message, when the caller asked for more than there is, or other builds leave less than there is. */
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

/**
 * `decideBudget` for a build beside `others` in this process, which uses `processBytes`. A given `memory` stays: the
 * caller divides. Pure.
 */
export function decideSharedBudget(
  requestedBytes: number | undefined,
  facts: MemoryFacts,
  { others, processBytes }: { readonly others: readonly MemoryClaim[]; readonly processBytes: number },
): MemoryBudget {
  if (others.length === 0 || requestedBytes !== undefined) return decideBudget(requestedBytes, facts)
  // What the process holds belongs to the claims of the others, and is not subtracted twice.
  const machine = decideBudget(undefined, { ...facts, availableBytes: facts.availableBytes + processBytes })
  const budgetBytes = shareOfMemory(machine.budgetBytes, others)
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  const builds = others.length === 1 ? '1 other build runs' : `${others.length} other builds run`
  return {
    budgetBytes,
    decidedBy: 'other builds',
    warning:
      `${builds} in this process: planning with ${mb(budgetBytes)} of the ${mb(machine.budgetBytes)} that are ` +
      `available; give each build its memory to divide them otherwise`,
  }
}
