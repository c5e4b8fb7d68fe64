/**
 * Where the files lie that are not imported: the kernels, and what threads load. No other module may ask where it lies
 * itself: scripts/build-bundle.mjs puts many into one. The folder of that one has the same neighbours as this folder.
 */

/** Undefined in CommonJS that a bundler made. */
export const MODULE_URL: string | undefined = import.meta.url

/** `place`: from the root, as 'kernel/kernel.wasm'. No literal here, or bundlers would take it for an asset. */
export function ownFile(place: string): URL {
  return new URL(`../${place}`, MODULE_URL)
}
