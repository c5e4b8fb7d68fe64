import { describe, expect, it } from 'vitest'
import { HeldOutputs } from '../../../src/cluster/coordinator/held-outputs.js'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('HeldOutputs', () => {
  it('gives memory of the size that was asked for, and the same memory again', async () => {
    const outputs = new HeldOutputs(2, 5000)
    const first = await outputs.room()
    const memory = first.acquire(100)
    expect(memory).toHaveLength(100)
    first.release()
    const second = (await outputs.room()).acquire(4000)
    expect([second.length, second.buffer === memory.buffer, second.byteOffset]).toEqual([4000, true, memory.byteOffset])
  })

  it('makes the next one wait when there is no room', async () => {
    const outputs = new HeldOutputs(1, 64)
    const first = await outputs.room()
    let isThere = false
    const second = outputs.room().then((room) => {
      isThere = true
      return room
    })
    await settle()
    expect(isThere).toBe(false)
    first.release()
    first.release()
    await second
    expect(outputs.held).toBe(1)
  })

  it('lets all go on once the build ends with an error', async () => {
    const outputs = new HeldOutputs(1, 64)
    await outputs.room()
    const waiting = [outputs.room(), outputs.room()]
    outputs.lift()
    expect(await Promise.all(waiting)).toHaveLength(2)
  })
})
