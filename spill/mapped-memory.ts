/**
 * Shared memory that comes from the operating system and goes back to it.
 *
 * glibc serves an allocation from its heaps, whose freed memory stays in the process, up to a threshold that rises to the
 * size of whatever was freed last, but never above 32 MiB. A buffer above that is always a mapping of its own: untouched
 * pages take no memory, and freeing gives back all of it. Measured on a 200 MB build: 40 MB less RSS.
 */

const ALWAYS_MAPPED_BYTES = 33 * 2 ** 20

/** Zeroed shared memory of at least `bytes`; only what is touched counts. */
export function mappedMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(bytes, ALWAYS_MAPPED_BYTES))
}
