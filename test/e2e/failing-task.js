/**
 * Entry point of threads that runs tasks as the package's does. A task with `failing` fails first: `how` it fails, and in
 * `failures` (shared by all threads) how often yet.
 */
import runTask from '../../dist/workers/worker.js'

export default async function failingTask({ name, task: { failing, ...task } }) {
  if (failing !== undefined && Atomics.sub(failing.failures, 0, 1) > 0) fail(failing.how)
  return runTask({ name, task })
}

function fail(how) {
  if (how === 'throws') throw new Error('this task throws')
  if (how === 'exits') process.exit(3)
  // Runs out of the heap that its thread may have.
  const kept = []
  for (;;) kept.push(new Array(1e6).fill(kept.length))
}
