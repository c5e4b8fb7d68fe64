const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The numbers of '[1,2,3]', as pgvector and JSON write them, or of '{1,2,3}', a Postgres array; undefined: neither. */
export function textVector(text: string): number[] | undefined {
  const inner = /^\s*(?:\[([^[\]{}]+)\]|\{([^[\]{}]+)\})\s*$/.exec(text)
  const parts = (inner?.[1] ?? inner?.[2])?.split(',').map((part) => part.trim())
  return parts?.every((part) => NUMBER.test(part)) === true ? parts.map(Number) : undefined
}
