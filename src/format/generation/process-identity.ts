/** Tells whether a process number still refers to the same process: the system reuses numbers. */
import { readFileSync } from 'node:fs'
import { systemErrorCode } from '../bytes/file-errors.js'

export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return systemErrorCode(error) !== 'ESRCH'
  }
}

/** Field 22 of /proc/PID/stat, counted from field 3, which follows the name in parentheses (proc(5)). */
const START_TIME_FIELD = 22 - 3

/** Boot and clock tick at which a process started; null when there is no such process, or no /proc. */
export function processStart(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return `${boot}:${fields[START_TIME_FIELD]}`
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    return null
  }
}
