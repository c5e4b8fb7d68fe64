/**
 * Thread entry point that fails before it does what it stands for: `how` it fails, and in `failures` (shared by all threads)
 * how often yet.
 */
export default async function failingTask({ name, task, how, failures }) {
  if (Atomics.sub(failures, 0, 1) > 0) fail(how)
  const { default: run } = await import(`../../dist/workers/${name}.js`)
  return run(task)
}

function fail(how) {
  if (how === 'throws') throw new Error('this task throws')
  if (how === 'exits') process.exit(3)
  // Runs out of the heap that its thread may have.
  const kept = []
  for (;;) kept.push(new Array(1e6).fill(kept.length))
}
