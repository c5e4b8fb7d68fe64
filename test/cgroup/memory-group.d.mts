export interface MemoryGroup {
  readonly directory: string
  kills(): number
  remove(): Promise<void>
}
export interface GroupRun {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly peakRssBytes: number
}
export function whyNoGroups(): string | undefined
export function makeGroup(limitBytes: number, parent?: string): MemoryGroup
export function runInGroup(group: MemoryGroup, args: readonly string[]): Promise<GroupRun>
