/** Whether a process number still means the process it meant. Process numbers are used again. */
import { readFileSync } from 'node:fs'
import { systemErrorCode } from '../bytes/file-errors.js'

export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return systemErrorCode(error) !== 'ESRCH'
  }
}

/** After the name in parentheses, which may hold anything, field 3 of /proc/PID/stat is the first. proc(5). */
const START_TIME_FIELD = 22 - 3

/** Boot and clock tick at which a process began; null when there is no such process, or no /proc. */
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
