/** Preloaded into processes that tests start: they import cluster-index.mjs in place of the library. */
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register('./redirect-hooks.mjs', import.meta.url)
