/** Thread entry point. Searches an index that lies in shared memory. */
import { searchSlice, type SearchSlice } from '../src/search/search-slice.js'

export default (slice: SearchSlice): void => searchSlice(slice)
