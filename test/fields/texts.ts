import fc from 'fast-check'

/** Words that are often the same, begin alike, and are of several scripts. */
const WORDS = ['a', 'solar', 'sol', 'solaris', 'panel', 'pan', 'panels', 'Crème', '東京', '京', 'ёлка', 'x1', 'the']

export const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(' '))
export const texts = fc.array(fc.option(text, { nil: undefined, freq: 4 }), { minLength: 1, maxLength: 40 })
export const query = fc
  .tuple(fc.array(fc.constantFrom(...WORDS, 'absent', 's', 'pa'), { maxLength: 4 }), fc.constantFrom('', ' '))
  .map(([words, end]) => words.join(' ') + end)
