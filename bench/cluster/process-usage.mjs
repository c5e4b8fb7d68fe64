// What processes have used so far, as Linux counts it: CPU of all threads, bytes read and written, highest memory.
import { readFileSync } from 'node:fs'

/** Linux counts the CPU of a process in hundredths of a second. */
const TICKS_PER_SECOND = 100
/** Of the fields of /proc/PID/stat after the name of the program: time in user mode; in the kernel is the next. */
const USER_TICKS = 11

/**
 * { cpu: seconds of all threads, mainCpu: of the first, readBytes, writtenBytes, peakRssBytes }. The bytes are those of all its calls, also from and to the
 * system's cache and sockets.
 */
export function processUsage(pid) {
  const read = (name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
  const mainCpu = cpuOf(read(`task/${pid}/stat`))
  return { cpu: cpuOf(read('stat')), mainCpu, ...bytesOf(read('io')), peakRssBytes: peakRssOf(read('status')) }
}

export function cpuOf(stat) {
  // The name of the program may hold blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_TICKS]) + Number(fields[USER_TICKS + 1])) / TICKS_PER_SECOND
}

export function bytesOf(io) {
  const number = (name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)[1])
  return { readBytes: number('rchar'), writtenBytes: number('wchar') }
}

export function peakRssOf(status) {
  return 1024 * Number(/VmHWM:\s*(\d+)/.exec(status)[1])
}

/** What was used between two readings; the memory is the highest until the later one. */
export function usageSince(earlier, later) {
  const { cpu, mainCpu, readBytes, writtenBytes, peakRssBytes } = later
  return {
    cpu: cpu - earlier.cpu,
    mainCpu: mainCpu - earlier.mainCpu,
    readBytes: readBytes - earlier.readBytes,
    writtenBytes: writtenBytes - earlier.writtenBytes,
    peakRssBytes,
  }
}
