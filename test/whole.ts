/** True in `npm run test:all`, which leaves nothing out. See vitest.config.ts. */
export const WHOLE = process.env['SHARDLOOM_TESTS'] === 'all'

/** How often a property is tried: a quarter of the runs in the quick suite. */
export function runs(whole: number): number {
  return WHOLE ? whole : Math.ceil(whole / 4)
}

/** The cases that a test tries: in the quick suite every `step`-th of them, from the first. */
export function some<Case>(cases: Iterable<Case>, step: number): Case[] {
  return [...cases].filter((_, i) => WHOLE || i % step === 0)
}
