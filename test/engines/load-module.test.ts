/** A separate file: no other test of the process may load the module before these tests do. */

import { beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => {
  vi.resetModules()
})

async function loadFresh(): Promise<unknown> {
  const { loadHnswlib } = await import('../../src/engines/hnswlib-wasm/load-hnswlib.js')
  return loadHnswlib()
}

/** Not those that Node.js 24 makes when anything looks at `fetch`. */
function globals(): Record<PropertyKey, PropertyDescriptor> {
  const all: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(globalThis)
  const ours = Reflect.ownKeys(all).filter((key) => !String(key).startsWith('Symbol(undici.'))
  return Object.fromEntries(ours.map((key) => [key, all[key as string]]))
}

function listenerCounts(): Record<string, number> {
  return Object.fromEntries(
    process.eventNames().map((name) => [String(name), process.listeners(name as 'exit').length]),
  )
}

test('every global is unchanged as soon as the load has begun, and when it is done', async () => {
  const { loadHnswlib } = await import('../../src/engines/hnswlib-wasm/load-hnswlib.js')
  const before = globals()
  const loading = loadHnswlib()
  expect(Reflect.ownKeys(globals())).toEqual(Reflect.ownKeys(before))
  await loading
  const after = globals()
  expect(Reflect.ownKeys(after)).toEqual(Reflect.ownKeys(before))
  for (const name of Reflect.ownKeys(before))
    expect(after[name as string], String(name)).toEqual(before[name as string])
  expect('window' in globalThis).toBe(false)
})

test('a window and a buffer that were there before stay the same', async () => {
  const mine = { window: { mine: true }, buffer: [1, 2, 3] }
  vi.stubGlobal('window', mine.window)
  vi.stubGlobal('buffer', mine.buffer)
  await loadFresh()
  expect(Reflect.get(globalThis, 'window')).toBe(mine.window)
  expect(Reflect.get(globalThis, 'buffer')).toBe(mine.buffer)
  vi.unstubAllGlobals()
})

test('no process listeners are left behind', async () => {
  const before = listenerCounts()
  await loadFresh()
  expect(listenerCounts()).toEqual(before)
})

test('a thread loads one instance, which concurrent callers share', async () => {
  const { loadHnswlib } = await import('../../src/engines/hnswlib-wasm/load-hnswlib.js')
  const [first, second] = await Promise.all([loadHnswlib(), loadHnswlib()])
  expect(second).toBe(first)
  expect(await loadHnswlib()).toBe(first)
})

test('after a drop the next load is a new instance', async () => {
  const { loadHnswlib, dropHnswlib } = await import('../../src/engines/hnswlib-wasm/load-hnswlib.js')
  const first = await loadHnswlib()
  dropHnswlib()
  expect(await loadHnswlib()).not.toBe(first)
})
