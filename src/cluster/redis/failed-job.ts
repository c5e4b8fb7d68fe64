/** Why a job failed in the queue: its host could not even write the outcome of the task. As the reason of BullMQ. */
export interface FailedJob {
  readonly host: string | undefined
  readonly reason: string
}

/** The message of the error that BullMQ stores. */
export function encodeFailedJob(host: string, reason: string): string {
  return `${host}: ${reason}`
}

/** The host is undefined where the reason is not from a worker of ours. */
export function decodeFailedJob(text: unknown): FailedJob {
  const reason = typeof text === 'string' && text !== '' ? text : 'it failed without a reason'
  const [, host, rest] = /^(\S+): ([^]*)$/.exec(reason) ?? []
  return host === undefined ? { host: undefined, reason } : { host, reason: rest }
}
