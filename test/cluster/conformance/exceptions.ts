/** Tests of local builds that cannot hold over a cluster, each with the reason. Every other one must. */
export interface Exception {
  /** The file, below test/. */
  readonly file: string
  /** Part of the test's full name; undefined: all of the file. */
  readonly test?: string
  readonly reason: string
}

const FAILING_THREADS = 'a thread of this process is made to fail, and tasks run in other processes'
const PROCESS_MEMORY = 'a cgroup holds the memory of this process alone'
const FILE_OPERATIONS = 'it lists the file operations of one process'

export const EXCEPTIONS: readonly Exception[] = [
  { file: 'e2e/failing-tasks.test.ts', reason: FAILING_THREADS },
  { file: 'e2e/interruptions.test.ts', test: 'on its shard task is replaced', reason: FAILING_THREADS },
  { file: 'e2e/interruptions.test.ts', test: 'twice on the same task', reason: FAILING_THREADS },
  { file: 'e2e/sift.test.ts', test: 'when a worker is killed in the middle of its shard', reason: FAILING_THREADS },
  {
    file: 'e2e/sift.test.ts',
    test: 'are reported: counts',
    reason: 'nothing spills on one machine; files hand over what tasks on others read',
  },
  {
    file: 'e2e/search-threads.test.ts',
    test: 'keeps no process alive',
    reason:
      'it builds nothing, and its program is an argument of Node.js, which the preload of these tests does not take',
  },
  { file: 'e2e/cgroup.test.ts', reason: PROCESS_MEMORY },
  { file: 'e2e/loaded-machine.test.ts', reason: PROCESS_MEMORY },
  { file: 'e2e/faults.test.ts', reason: FILE_OPERATIONS },
  { file: 'e2e/syncs.test.ts', reason: FILE_OPERATIONS },
  { file: 'e2e/package.test.ts', reason: 'the installed package is tested, not a build' },
  { file: 'e2e/report-page.test.ts', reason: 'the page is of reports that are given' },
]
