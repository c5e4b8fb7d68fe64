// Texts of made-up words whose frequencies follow Zipf's law, as those of natural texts do: the same for a seed.
import { randomStream } from './random.mjs'

const SYLLABLES = Array.from('bcdfghjklmnprstvwz', (consonant) =>
  Array.from('aeiou', (vowel) => consonant + vowel),
).flat()
/** Frequency of the word with rank r: 1 / (r + SHIFT) ^ EXPONENT (Zipf and Mandelbrot). */
const SHIFT = 2.7
const EXPONENT = 1.05

/** `words`: by rank, the most frequent first. `text(i)`: 12 to 60 of them. */
export function zipfTexts(vocabulary, seed = 1) {
  const words = distinctWords(vocabulary, randomStream(seed, 'words'))
  const sums = new Float64Array(vocabulary)
  for (let rank = 0, sum = 0; rank < vocabulary; rank++) sums[rank] = sum += 1 / (rank + SHIFT) ** EXPONENT
  const rankAt = (share) => {
    let [low, high] = [0, vocabulary - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle] < share * sums[vocabulary - 1]) low = middle + 1
      else high = middle
    }
    return low
  }
  const several = (count, { uniform }) => Array.from({ length: count }, () => words[rankAt(uniform())])
  return {
    words,
    text: (i) => {
      const random = randomStream(seed, `text ${i}`)
      return several(12 + Math.floor(49 * random.uniform()), random).join(' ')
    },
    /** Texts of `count` words, as frequent as in texts. */
    alike: (number, count, purpose) => {
      const random = randomStream(seed, purpose)
      return Array.from({ length: number }, () => several(count, random).join(' '))
    },
    /** Texts of `count` words of these ranks. */
    ranked: (number, count, from, to) => {
      const { uniform } = randomStream(seed, `${count} words of ${from} to ${to}`)
      const word = () => words[from + Math.floor(uniform() * (to - from))]
      return Array.from({ length: number }, () => Array.from({ length: count }, word).join(' '))
    },
  }
}

/** Frequent words are short. */
function distinctWords(count, { uniform }) {
  const words = new Set()
  while (words.size < count) {
    const syllables = 1 + Math.floor(uniform() * (1 + Math.min(4, Math.log10(words.size + 10))))
    let word = ''
    for (let i = 0; i < syllables; i++) word += SYLLABLES[Math.floor(uniform() * SYLLABLES.length)]
    words.add(uniform() < 0.5 ? word : word + 'nstrl'[Math.floor(uniform() * 5)])
  }
  return Array.from(words)
}
