/**
 * V8 keeps one copy of every string that a program's text or a property's name holds: the interned one. A string that came
 * from another thread is a copy of its own, until it names a property: then it points to the interned one. When garbage
 * is collected while TurboFan compiles a closure over such a string in the background, the compiled `kind === 'i16'` is
 * false for 'i16' (V8 11.3, Node 20; four builds on two cores at once: 7 of 40 differed, each by one distance that was
 * read as f32). So strings are interned where they come in, before anything is computed with them.
 */
export function interned(text: string): string {
  return Object.keys({ [text]: 0 })[0]
}

/** Interns the strings of plain data, in place. Bytes and objects of any class are left alone. Returns `data`. */
export function internStrings<Data>(data: Data): Data {
  const values: unknown = data
  if (typeof values === 'string') return interned(values) as Data
  if (Array.isArray(values)) {
    values.forEach((value, i) => (values[i] = internStrings<unknown>(value)))
  } else if (isPlain(values)) {
    for (const key of Object.keys(values)) values[key] = internStrings(values[key])
  }
  return data
}

function isPlain(data: unknown): data is Record<string, unknown> {
  if (typeof data !== 'object' || data === null) return false
  // The end of the chain, not Object.prototype: the data may be of another realm.
  const prototype: unknown = Object.getPrototypeOf(data)
  return prototype !== null && Object.getPrototypeOf(prototype) === null
}
