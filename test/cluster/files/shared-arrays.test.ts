import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../spill/files/crc32.js'
import { SharedArrays } from '../../../src/cluster/files/shared-arrays.js'
import type { Place } from '../../../src/cluster/messages.js'
import { CorruptSpillError, ShardloomError } from '../../../src/errors.js'
import { makeFolder } from '../../fixtures/tasks.js'

function arrayFile(name: string, length: number, fill: number): { file: string; place: Place } {
  const file = join(makeFolder(), name)
  const bytes = new Uint8Array(length).fill(fill)
  writeFileSync(file, bytes)
  return { file, place: { file: name, offset: 0, bytes: length, crc: crc32(bytes) } }
}

describe('an array that tasks share', () => {
  it('is read once for tasks that ask at once', async () => {
    const arrays = new SharedArrays(1e9)
    const { file, place } = arrayFile('a', 3_000_000, 5)
    const [one, two] = await Promise.all([arrays.lend(file, place), arrays.lend(file, place)])
    expect(one.memory).toBe(two.memory)
    expect(new Uint8Array(one.memory).every((byte) => byte === 5)).toBe(true)
    expect(arrays.bytes).toBe(3_000_000)
  })

  it('stays when no task has it, while there is room', async () => {
    const arrays = new SharedArrays(100)
    const { file, place } = arrayFile('a', 60, 5)
    const lent = await arrays.lend(file, place)
    lent.release()
    rmSync(file)
    expect((await arrays.lend(file, place)).memory).toBe(lent.memory)
  })

  it('goes when another one needs the room, the one not used for longest first', async () => {
    const arrays = new SharedArrays(100)
    const [a, b, c] = [arrayFile('a', 40, 1), arrayFile('b', 40, 2), arrayFile('c', 40, 3)]
    for (const each of [a, b, a]) (await arrays.lend(each.file, each.place)).release()
    const again = await arrays.lend(a.file, a.place)
    again.release()
    ;(await arrays.lend(c.file, c.place)).release()
    expect(arrays.bytes).toBe(80)
    expect((await arrays.lend(a.file, a.place)).memory).toBe(again.memory)
  })

  it('does not go while a task has it', async () => {
    const arrays = new SharedArrays(50)
    const [a, b] = [arrayFile('a', 40, 1), arrayFile('b', 40, 2)]
    const held = await arrays.lend(a.file, a.place)
    const other = await arrays.lend(b.file, b.place)
    expect(arrays.bytes).toBe(80)
    expect((await arrays.lend(a.file, a.place)).memory).toBe(held.memory)
    other.release()
    expect(arrays.bytes).toBe(40)
  })

  it('given back twice counts once', async () => {
    const arrays = new SharedArrays(0)
    const { file, place } = arrayFile('a', 40, 1)
    const [one, two] = await Promise.all([arrays.lend(file, place), arrays.lend(file, place)])
    one.release()
    one.release()
    expect(arrays.bytes).toBe(40)
    two.release()
    expect(arrays.bytes).toBe(0)
  })

  it('that is damaged is an error for each task, and is read again for the next', async () => {
    const arrays = new SharedArrays(1e9)
    const { file, place } = arrayFile('a', 3_000_000, 5)
    const right = new Uint8Array(3_000_000).fill(5)
    writeFileSync(file, right.with(2_999_999, 6))
    const both = await Promise.allSettled([arrays.lend(file, place), arrays.lend(file, place)])
    for (const each of both) expect(each.status === 'rejected' && each.reason).toBeInstanceOf(CorruptSpillError)
    expect(arrays.bytes).toBe(0)
    writeFileSync(file, right)
    expect((await arrays.lend(file, place)).memory.byteLength).toBe(3_000_000)
  })

  it('that is short or gone is a typed error', async () => {
    const arrays = new SharedArrays(1e9)
    const { file, place } = arrayFile('a', 40, 5)
    await expect(arrays.lend(file, { ...place, bytes: 41 })).rejects.toThrow(CorruptSpillError)
    rmSync(file)
    await expect(arrays.lend(file, place)).rejects.toThrow(ShardloomError)
  })
})
