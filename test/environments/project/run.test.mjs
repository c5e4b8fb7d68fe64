import { run } from './run.mjs'

test('a build and a search', async () => {
  expect(await run()).toBe('2000 v7 v8')
}, 60_000)
