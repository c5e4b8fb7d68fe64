/** The entry point of threads that build and search. */
import type { SearchSlice } from '../src/search/batch/search-slice.js'
import { internStrings } from '../src/runtime/interned.js'

export { runTask as default } from '../src/tasks/run-task.js'

/** Searches an index in shared memory, for `searchBatch`. */
export async function search(slice: SearchSlice): Promise<void> {
  const { searchSlice } = await import('../src/search/batch/search-slice.js')
  searchSlice(internStrings(slice))
}
