// A fixed stream of random numbers: the same on every machine, for a seed and a name of what they are drawn for.

/** @returns { uniform(): [0, 1), normal(): mean 0, deviation 1 } */
export function randomStream(seed, purpose) {
  // xoshiro128** (Blackman and Vigna), its state filled from the seed and the name by splitmix32.
  let hash = seed >>> 0
  for (const char of purpose) hash = Math.imul(hash ^ char.codePointAt(0), 0x9e3779b1) >>> 0
  const fill = () => {
    hash = (hash + 0x9e3779b9) | 0
    let x = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return x ^ (x >>> 15)
  }
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]
  const uniform = () => {
    const scaled = Math.imul(b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return (result >>> 0) / 2 ** 32
  }
  let spare
  const normal = () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return { uniform, normal }
}
