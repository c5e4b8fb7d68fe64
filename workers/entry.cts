/**
 * What worker threads load. Piscina loads its entry by `require`, and Node.js ends the whole process (SIGABRT) when a
 * thread is ended while `require` loads an ES module. So this is CommonJS, and imports the tasks asynchronously.
 */
type Worker = typeof import('./worker.js', { with: { 'resolution-mode': 'import' } })
type Args<Name extends keyof Worker> = Parameters<Worker[Name]>[0]

const load = (): Promise<Worker> => import('./worker.js')

export = {
  // Without it Piscina takes this object for the default export.
  __esModule: true,
  default: async (request: Args<'default'>): Promise<unknown> => (await load()).default(request),
  search: async (slice: Args<'search'>): Promise<void> => (await load()).search(slice),
}
