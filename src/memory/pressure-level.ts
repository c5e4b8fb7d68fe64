/** How near a process is to its memory budget, from least to most. */
export const PRESSURE_LEVELS = ['normal', 'elevated', 'high', 'critical'] as const
export type PressureLevel = (typeof PRESSURE_LEVELS)[number]

/** Share of the budget at which each level begins. */
export const PRESSURE_SHARES: Readonly<Record<PressureLevel, number>> = {
  normal: 0,
  elevated: 0.75,
  high: 0.9,
  critical: 0.95,
}

/** A level ends only this far below its share: otherwise it would change with every sample around the share. */
const RELIEF_SHARE = 0.03

/** The level of `share` (used / budget) when the last sample had the level `before`. Pure. */
export function pressureLevel(share: number, before: PressureLevel): PressureLevel {
  let level: PressureLevel = 'normal'
  for (const [rank, candidate] of PRESSURE_LEVELS.entries()) {
    const held = rank <= PRESSURE_LEVELS.indexOf(before)
    if (share >= PRESSURE_SHARES[candidate] - (held ? RELIEF_SHARE : 0)) level = candidate
  }
  return level
}

export function isAtLeast(level: PressureLevel, least: PressureLevel): boolean {
  return PRESSURE_LEVELS.indexOf(level) >= PRESSURE_LEVELS.indexOf(least)
}

/**
 * Bytes that queues may hold in memory: what the plan gives them; from 75% of the budget on no more than they hold
 * already, or a quarter of the plan; from 90% on an eighth of it; and from 95% on nothing. Pure.
 */
export function queueLimit(level: PressureLevel, plannedBytes: number, heldBytes: number): number {
  switch (level) {
    case 'normal':
      return plannedBytes
    case 'elevated':
      return Math.min(plannedBytes, Math.max(heldBytes, Math.floor(plannedBytes / 4)))
    case 'high':
      return Math.floor(plannedBytes / 8)
    case 'critical':
      return 0
  }
}
