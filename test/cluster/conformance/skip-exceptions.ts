import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach } from 'vitest'
import { EXCEPTIONS } from './exceptions.js'

const TESTS = fileURLToPath(new URL('../../', import.meta.url))

beforeEach(({ task, skip }) => {
  const file = path.relative(TESTS, task.file.filepath)
  const names: string[] = []
  for (let at: { name: string; suite?: typeof task.suite } | undefined = task; at !== undefined; at = at.suite)
    names.unshift(at.name)
  const name = names.join(' ')
  const exception = EXCEPTIONS.find((one) => one.file === file && (one.test === undefined || name.includes(one.test)))
  if (exception !== undefined) skip(exception.reason)
})
