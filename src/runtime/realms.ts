/**
 * Values from outside may be of another realm: Jest and vitest's vm pools run a test, and the library in it, with
 * globals of their own, while `fs` makes errors of the first realm, and the messages of threads carry arrays of it.
 * `instanceof Error` is false for these, so a value is asked for what it has.
 */

/** The `code` of a system error, or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether it can be read as an error. */
export function isError(thrown: unknown): thrown is Error {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string'
}

/** What anything thrown says. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown)
}

/** Typed arrays name their kind in every realm. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return viewKind(value) === 'Float32Array'
}

/** 'Float32Array', 'BigInt64Array', 'DataView', …; undefined for what is no view of bytes. */
export function viewKind(value: unknown): string | undefined {
  return ArrayBuffer.isView(value)
    ? (value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag]
    : undefined
}

/** Whether the memory is shared between threads. */
export function isShared(memory: ArrayBufferLike): memory is SharedArrayBuffer {
  return Object.prototype.toString.call(memory) === '[object SharedArrayBuffer]'
}
