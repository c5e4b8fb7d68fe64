/** Strict parsers of flag values: each error names the flag, what was expected and what was got. */
import { InvalidOptionError } from '../../errors.js'
import { parseByteSize } from '../../memory/byte-size.js'

type Parser<Value> = (text: string) => Value

/** Digits only: no sign, no fraction, no exponent, no blanks. */
export function integerFlag(flag: string, least: number, most: number): Parser<number> {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
    throw expected(flag, `an integer ${range}`, text)
  }
}

/** Integers with commas between them. */
export function integersFlag(flag: string, least: number, most: number): Parser<number[]> {
  const one = integerFlag(`each number of ${flag}`, least, most)
  return (text) => text.split(',').map(one)
}

/** Above 0 and up to 1, in decimal notation. */
export function shareFlag(flag: string): Parser<number> {
  const fraction = fractionFlag(flag)
  return (text) => {
    const value = fraction(text)
    if (value > 0) return value
    throw expected(flag, 'a number above 0 and up to 1', text)
  }
}

/** 0 to 1 in decimal notation. */
export function fractionFlag(flag: string): Parser<number> {
  return (text) => {
    const value = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN
    if (value >= 0 && value <= 1) return value
    throw expected(flag, 'a number from 0 to 1', text)
  }
}

export function byteSizeFlag(flag: string): Parser<number> {
  return (text) => parseByteSize(text, flag)
}

/** A size that may be nothing at all. */
export function byteSizeOrZeroFlag(flag: string): Parser<number> {
  return (text) => (text === '0' ? 0 : parseByteSize(text, flag))
}

export function choiceFlag<Name extends string>(flag: string, names: readonly Name[]): Parser<Name> {
  return (text) => {
    const found = names.find((name) => name === text)
    if (found !== undefined) return found
    throw expected(flag, `one of ${names.join(', ')}`, text)
  }
}

/** A path or name. A flag in its place is a value forgotten; a file that begins with -- can be given as ./--name. */
export function textFlag(flag: string): Parser<string> {
  return (text) => {
    if (text !== '' && !text.startsWith('--')) return text
    throw expected(flag, 'followed by a value', text)
  }
}

function expected(flag: string, what: string, got: string): InvalidOptionError {
  return new InvalidOptionError(`${flag} must be ${what}, got ${JSON.stringify(got)}`)
}
