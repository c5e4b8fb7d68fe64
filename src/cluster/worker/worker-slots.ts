/** How a host divides its threads and its memory among the builds that want it. Pure. */

export interface HostSize {
  readonly threads: number
  readonly memoryBytes: number
}

export interface SlotsWanted {
  /** Names the build. */
  readonly queue: string
  /** What the host holds for the build beside its tasks, and what each of its tasks takes. */
  readonly hostBytes: number
  readonly taskBytes: number
  /** It has tasks now, or had some a moment ago. */
  readonly isBusy: boolean
}

/** Whether the host has memory for one task of the build, when it runs nothing else. */
export function fitsAlone({ memoryBytes }: HostSize, { hostBytes, taskBytes }: SlotsWanted): boolean {
  return hostBytes + taskBytes <= memoryBytes
}

/**
 * Slots by build. Each build that there is memory for gets one, so that its first task is seen at once; busy builds come
 * first and share the threads evenly. One build alone gets min(threads, (memory − hostBytes) / taskBytes).
 */
export function shareSlots(host: HostSize, builds: readonly SlotsWanted[]): Map<string, number> {
  const slots = new Map(builds.map(({ queue }) => [queue, 0]))
  const byName = builds.toSorted((a, b) => (a.queue < b.queue ? -1 : Number(a.queue > b.queue)))
  const busy = byName.filter(({ isBusy }) => isBusy || builds.length === 1)
  const idle = byName.filter((build) => !busy.includes(build))
  let freeBytes = host.memoryBytes
  let freeThreads = host.threads
  const give = ({ queue, taskBytes }: SlotsWanted): void => {
    slots.set(queue, (slots.get(queue) ?? 0) + 1)
    freeBytes -= taskBytes
  }
  for (const build of [...busy, ...idle]) {
    if (build.hostBytes + build.taskBytes > freeBytes) continue
    freeBytes -= build.hostBytes
    give(build)
    if (busy.includes(build)) freeThreads--
  }
  for (let given = true; given && freeThreads > 0;) {
    given = false
    for (const build of busy) {
      if (freeThreads <= 0 || slots.get(build.queue) === 0 || build.taskBytes > freeBytes) continue
      give(build)
      freeThreads--
      given = true
    }
  }
  return slots
}

/** Memory that each thread may take beyond a task's, when all threads run tasks of any of the builds. */
export function spareBytesOf(host: HostSize, builds: readonly SlotsWanted[]): number {
  const heldBytes = builds.reduce((sum, { hostBytes }) => sum + hostBytes, 0)
  const largestTask = builds.reduce((most, { taskBytes }) => Math.max(most, taskBytes), 0)
  return Math.max(0, Math.floor((host.memoryBytes - heldBytes) / host.threads) - largestTask)
}
