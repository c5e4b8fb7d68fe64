import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eachTerm, MAX_TERM_BYTES, queryTerms } from '../../src/fields/text/tokens.js'

const terms = (text: string): readonly string[] => queryTerms(text).terms

const character = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
const anyText = fc.array(character, { maxLength: 300 }).map((codes) => String.fromCodePoint(...codes))

describe('terms', () => {
  it.each<[string, string, string[]]>([
    [
      'are runs of letters and digits, in lower case',
      'The 3 Quick-Brown foxes, v2.0!',
      ['the', '3', 'quick', 'brown', 'foxes', 'v2', '0'],
    ],
    ['lose the diacritics of Latin', 'Crème brûlée, Ångström İstanbul', ['creme', 'brulee', 'angstrom', 'istanbul']],
    ['lose those of Greek and Cyrillic', 'ΆΝΘΡΩΠΟΣ ёлка', ['ανθρωποσ', 'елка']],
    ['lose vowel points of Hebrew and Arabic', 'שָׁלוֹם مُحَمَّد', ['שלום', 'محمد']],
    ['have one sigma', 'ὁδός ΟΔΟΣ', ['οδοσ', 'οδοσ']],
    ['are the letters that ligatures and full-width forms stand for', 'ﬁne Ｈｅｌｌｏ ②', ['fine', 'hello', '2']],
    ['keep the vowel signs of Devanagari', 'किताब की', ['किताब', 'की']],
    ['are pairs of Chinese characters', '东京大学', ['东京', '京大', '大学']],
    ['are one character where it stands alone', '水 火', ['水', '火']],
    ['are pairs of Japanese ones, with their voice marks', 'ガラス', ['ガラ', 'ラス']],
    ['are pairs of half-width ones too', 'ｶﾞﾗｽ', ['ガラ', 'ラス']],
    ['are pairs of Hangul syllables', '한국어', ['한국', '국어']],
    ['are pairs of Thai characters', 'กิน', ['กิน']],
    ['end where the script changes', 'iPhone手机2台', ['iphone', '手机', '2', '台']],
    ['are whole beyond the basic plane', '𝒳𝒴 𠀀𠀁𠀂', ['xy', '𠀀𠀁', '𠀁𠀂']],
    ['are none in a text of separators', ' … -- 🎉 ', []],
  ])('%s', (_, text, expected) => {
    expect(terms(text)).toEqual(expected)
  })

  it('are cut at 64 bytes, at a character', () => {
    expect(terms('x'.repeat(100))).toEqual(['x'.repeat(MAX_TERM_BYTES)])
    expect(terms('я'.repeat(33))).toEqual(['я'.repeat(32)])
    expect(terms(`a${'я'.repeat(33)}`)).toEqual([`a${'я'.repeat(31)}`])
  })

  it('are the same however Unicode composes the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(terms(text.normalize('NFD'))).toEqual(terms(text.normalize('NFC')))
      }),
    )
  })

  it('are at most 64 bytes of sound UTF-8, of any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = Buffer.from(text)
        let found = 0
        const unsound: string[] = []
        const counted = eachTerm(bytes, 0, bytes.length, (term, length) => {
          found++
          const decoded = Buffer.from(term.subarray(0, length)).toString('utf8')
          if (length < 1 || length > MAX_TERM_BYTES || decoded.includes('\ufffd')) unsound.push(decoded)
        })
        expect(unsound).toEqual([])
        expect(counted).toBe(found)
      }),
    )
  })

  it('do not depend on the bytes around the text', () => {
    const bytes = Buffer.from('äbc def ghi')
    const found: string[] = []
    eachTerm(bytes, 3, 8, (term, length) => found.push(Buffer.from(term.subarray(0, length)).toString()))
    expect(found).toEqual(['c', 'def'])
  })
})

it.each([
  ['solar pan', true],
  ['solar pan ', false],
  ['solar pan.', false],
  ['é', true],
  ['', false],
  ['(株)', false],
])('a query %j ends inside a word: %s', (text, open) => {
  expect(queryTerms(text).open).toBe(open)
})
