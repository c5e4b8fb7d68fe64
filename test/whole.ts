/** True in `npm run test:all`, which leaves nothing out; see vitest.config.ts. */
export const WHOLE = process.env['SHARDLOOM_TESTS'] === 'all'

/** As many runs of a property, or items of a list, as the suite has time for. */
export function inQuick<Value>(quick: Value, whole: Value): Value {
  return WHOLE ? whole : quick
}
