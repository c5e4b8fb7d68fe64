/** What happens to a build, by name. */
export const MODES: Readonly<Record<string, unknown>>
