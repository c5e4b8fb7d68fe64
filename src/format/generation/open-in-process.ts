/** Tells whether any thread of this process has a file open: the system closes a thread's files when the thread ends. */
import { fstatSync, readdirSync, statSync, type BigIntStats } from 'node:fs'
import { systemErrorCode } from '../bytes/file-errors.js'

/** The numbers of the files that this process has open; Windows has no such folder. */
const DESCRIPTORS = '/dev/fd'

/** Undefined where the system does not tell. False when there is no such file. */
export function isOpenInProcess(path: string): boolean | undefined {
  const wanted = orUndefined(() => statSync(path, { bigint: true }))
  if (wanted === undefined) return false
  const descriptors = orUndefined(() => readdirSync(DESCRIPTORS))
  return descriptors?.some((descriptor) => isSame(wanted, statsOf(Number(descriptor))))
}

/** Undefined when it was closed since it was listed, as that of the listing is. */
function statsOf(descriptor: number): BigIntStats | undefined {
  return orUndefined(() => fstatSync(descriptor, { bigint: true }))
}

function isSame(one: BigIntStats, other: BigIntStats | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino
}

function orUndefined<Value>(call: () => Value): Value | undefined {
  try {
    return call()
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    return undefined
  }
}
