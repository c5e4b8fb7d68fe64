// What a figure depends on besides the code: the machine, and how busy it was. And how much memory a process took.
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
    date: new Date().toISOString().slice(0, 10),
  }
}

/** Highest resident memory of this process, bytes. */
export function peakRssBytes() {
  // Linux starts a child's ru_maxrss at what its parent had at the fork, so a parent that holds vectors would show in
  // it. VmHWM belongs to the memory map, which is new after exec.
  if (process.platform === 'linux') return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status'))[1])
  return 1024 * process.resourceUsage().maxRSS
}

/** Seconds all threads of this process have computed: a busy machine adds little to them, unlike to the clock. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
