/** Logs for machines: one JSON object a line, with level, time, message and the numbers as fields. */
import { pino } from 'pino'

export interface JsonLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Calls `write` with one whole line at a time, at once: no line waits in a buffer when the process ends. */
export function jsonLog(write: (line: string) => void): JsonLog {
  return pino(
    {
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write },
  )
}
