/** What the threads of a live index load: CommonJS for the reason that entry.cts says. */
type Worker = typeof import('./live.js', { with: { 'resolution-mode': 'import' } })
type Args<Name extends keyof Worker> = Parameters<Worker[Name]>[0]

export = {
  // Without it Piscina takes this object for the default export.
  __esModule: true,
  default: async (request: Args<'default'>): Promise<unknown> => (await import('./live.js')).default(request),
}
