import { describe, expect, it } from 'vitest'
import { HostList } from '../../../src/cluster/coordinator/host-list.js'
import type { HostNotice } from '../../../src/cluster/messages.js'

const notice = (host: string, at: number, more: Partial<HostNotice> = {}): HostNotice => ({
  host,
  version: '1.0.0',
  state: 'working',
  reason: '',
  threads: 2,
  slots: 2,
  running: 0,
  done: 0,
  busySeconds: 0,
  rssBytes: 100,
  memoryBytes: 1000,
  at,
  ...more,
})

describe('HostList', () => {
  it('sums the slots of hosts that work', () => {
    const list = new HostList(35_000)
    list.update([notice('a', 1), notice('b', 1, { slots: 5 }), notice('c', 1, { state: 'refused' })], 0)
    expect([list.slots, list.workingCount]).toEqual([7, 2])
    list.update([notice('a', 2, { state: 'ending' }), notice('b', 2, { slots: 5 })], 1000)
    expect([list.slots, list.workingCount]).toEqual([5, 1])
  })

  it('tells once that a host refuses, and reports why', () => {
    const list = new HostList(35_000)
    const refused = (at: number): HostNotice => notice('a', at, { state: 'refused', reason: 'other version' })
    expect(list.update([refused(1)], 0)).toEqual([{ kind: 'refused', host: 'a', reason: 'other version' }])
    expect(list.update([refused(2)], 1000)).toEqual([])
    expect(list.reports).toMatchObject([{ host: 'a', refused: 'other version', tasks: 0 }])
  })

  it('tells of a host whose notice no longer changes, whatever its clock says', () => {
    const list = new HostList(4000)
    // The time of a notice is found anew at each look, within some milliseconds.
    for (let at = 0; at <= 4000; at += 500) expect(list.update([notice('a', -1e9 + (at % 7))], at)).toEqual([])
    expect(list.update([notice('a', -1e9)], 4500)).toEqual([{ kind: 'silent', host: 'a' }])
    expect([list.slots, list.isGone('a')]).toEqual([0, true])
    expect(list.update([notice('a', -1e9)], 5000)).toEqual([])
  })

  it('takes a host back that says something again', () => {
    const list = new HostList(1000)
    for (let at = 0; at <= 1500; at += 250) list.update([notice('a', 7)], at)
    expect(list.isGone('a')).toBe(true)
    list.update([notice('a', 1007)], 1750)
    expect([list.isGone('a'), list.slots]).toEqual([false, 2])
  })

  it('calls no host silent for the time in which nobody could look', () => {
    const list = new HostList(4000)
    list.update([notice('a', 1)], 0)
    expect(list.update([notice('a', 1)], 60_000)).toEqual([])
    expect(list.update([notice('a', 2)], 60_500)).toEqual([])
  })

  it('tells of a host that ended and took its notice away', () => {
    const list = new HostList(4000)
    list.update([notice('a', 1)], 0)
    list.update([notice('a', 1001, { state: 'ending' })], 500)
    expect(list.update([], 1000)).toEqual([{ kind: 'left', host: 'a' }])
    expect(list.reports).toHaveLength(1)
  })

  it('waits for a host whose notice Redis has lost', () => {
    const list = new HostList(4000)
    list.update([notice('a', 1)], 0)
    expect(list.update([], 500)).toEqual([])
    expect([list.slots, list.isGone('a')]).toEqual([0, false])
    expect(list.update([notice('a', 1001)], 1000)).toEqual([])
    expect(list.slots).toBe(2)
  })

  it('reports by name what hosts did, also of one whose notice was never seen', () => {
    const list = new HostList(4000)
    list.update([notice('b', 1, { rssBytes: 300 })], 0)
    list.update([notice('b', 2, { rssBytes: 200 })], 500)
    list.used('b', { busyMs: 1500, rssBytes: 250 }, 600)
    list.used('a', { busyMs: 250, rssBytes: 50 }, 600)
    list.lost('a', 700)
    expect(list.reports).toEqual([
      { host: 'a', threads: 0, tasks: 1, busySeconds: 0.25, lostTasks: 1, peakRssBytes: 50, memoryBytes: 0 },
      { host: 'b', threads: 2, tasks: 1, busySeconds: 1.5, lostTasks: 0, peakRssBytes: 300, memoryBytes: 1000 },
    ])
  })
})
