import { afterEach, describe, expect, it, vi } from 'vitest'
import { BuildWatch } from '../../../src/cluster/coordinator/build-watch.js'
import type { GivenTasks } from '../../../src/cluster/coordinator/given-tasks.js'
import { HostList } from '../../../src/cluster/coordinator/host-list.js'
import type { BuildNotice, HostNotice } from '../../../src/cluster/messages.js'

const LOOK_MS = 10
/** Long enough for some looks. */
const someLooks = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 8 * LOOK_MS))

const NOTICE: BuildNotice = {
  ...{ queue: 'shardloom-1', version: '1.0.0', marker: { file: 'marker', text: 'x' }, results: 'results' },
  ...{ stage: 'shards', hostBytes: 1, taskBytes: 1, lockSeconds: 4, at: 0 },
}

const notice = (host: string, at: number, more: Partial<HostNotice> = {}): HostNotice => ({
  ...{ host, version: '1.0.0', state: 'working', reason: '', threads: 2, slots: 2, running: 0, done: 0 },
  ...{ busySeconds: 0, rssBytes: 1, memoryBytes: 1, at, ...more },
})

/** A watch over a board that the test writes; its clock is the test's too. */
function watch(tasks: { readonly size: number; readonly runningOn?: number }) {
  const state = { now: 0, notices: [] as HostNotice[], fails: false, announced: 0, checks: 0 }
  const events: [string, string][] = []
  const given = {
    size: tasks.size,
    runningOn: () => tasks.runningOn ?? 0,
    watch: () => undefined,
    check: async () => void state.checks++,
  }
  const watching = new BuildWatch({
    board: {
      announce: async () => void state.announced++,
      hosts: async () => {
        if (state.fails) throw new Error('WRONGTYPE')
        return state.notices
      },
    },
    notice: () => NOTICE,
    hosts: new HostList(9000),
    given: given as unknown as GivenTasks,
    onEvent: (kind, message) => events.push([kind, message]),
    onTrouble: (message) => events.push(['trouble', message]),
    howToStart: 'shardloom worker --cluster redis://there',
    nowMs: () => state.now,
    lookMs: LOOK_MS,
  })
  watches.push(watching)
  return { state, events }
}

const watches: BuildWatch[] = []
afterEach(async () => {
  for (const each of watches.splice(0)) {
    each.stop()
    await each.ended
  }
})

describe('BuildWatch', () => {
  it('renews the notice of the build, and checks its jobs', async () => {
    const { state } = watch({ size: 1 })
    await vi.waitFor(() => expect([state.announced > 1, state.checks > 1]).toEqual([true, true]), 10_000)
  })

  it('says after ten seconds without a host how to start one, once', async () => {
    const { state, events } = watch({ size: 1 })
    await someLooks()
    expect(events).toEqual([])
    state.now = 11_000
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000)
    state.now = 60_000
    await someLooks()
    expect(events).toEqual([['no-hosts', expect.stringContaining('shardloom worker --cluster redis://there')]])
  })

  it('says it again when the last host has gone', async () => {
    const { state, events } = watch({ size: 1 })
    await someLooks()
    state.now = 11_000
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000)
    state.notices = [notice('a', 1)]
    await someLooks()
    state.notices = []
    await someLooks()
    expect(events).toHaveLength(1)
    state.now = 30_000
    await vi.waitFor(() => expect(events.map(([kind]) => kind)).toEqual(['no-hosts', 'no-hosts']), 10_000)
  })

  it('does not ask for hosts while no task waits for one', async () => {
    const { state, events } = watch({ size: 0 })
    await someLooks()
    state.now = 60_000
    await someLooks()
    expect(events).toEqual([])
  })

  it('tells why a host takes no tasks', async () => {
    const { state, events } = watch({ size: 1 })
    state.notices = [notice('a', 1, { state: 'refused', reason: 'this worker is 0.1.0' })]
    await vi.waitFor(
      () => expect(events).toEqual([['worker-refused', 'host a takes no tasks: this worker is 0.1.0']]),
      10_000,
    )
  })

  it.each([
    ['tasks', 3, [['host-lost', 'host a says nothing any more: 3 of its tasks go to other hosts']]],
    ['nothing to do', 0, []],
  ] as const)('tells of a dead host that had %s', async (_, runningOn, expected) => {
    const { state, events } = watch({ size: 1, runningOn })
    state.notices = [notice('a', 1), notice('b', 1)]
    for (let step = 1; step <= 14; step++) {
      await someLooks()
      state.now += 1000
      state.notices = [notice('a', 1), notice('b', 1 + 1000 * step)]
    }
    expect(events).toEqual(expected)
  })

  it('tells what Redis refuses, and goes on', async () => {
    const { state, events } = watch({ size: 0 })
    state.fails = true
    await vi.waitFor(() => expect(events[0]).toEqual(['trouble', expect.stringContaining('WRONGTYPE')]), 10_000)
    state.fails = false
    const { announced } = state
    await vi.waitFor(() => expect(state.announced).toBeGreaterThan(announced), 10_000)
  })
})
