import { runInNewContext } from 'node:vm'
import { Linter } from 'eslint'
import { describe, expect, it } from 'vitest'
import { internStrings } from '../src/runtime/interned.js'
import { isFloat32Array, isShared, messageOf, systemErrorCode, viewKind } from '../src/runtime/realms.js'
import { isThenable } from '../src/wording/value-kind.js'

interface ConfigFile {
  readonly default: readonly { readonly rules?: Linter.RulesRecord }[]
}
const config = (await import(new URL('../eslint.config.js', import.meta.url).href)) as ConfigFile

/** Evaluates in another realm, as the values of Node.js are under Jest and vitest's vm pools. */
const foreign = <Value>(code: string, names: object = {}): Value => runInNewContext(code, names) as Value

describe('a value of another realm', () => {
  it('is a system error by its code', () => {
    expect(systemErrorCode(foreign("Object.assign(new Error('x'), { code: 'ENOENT' })"))).toBe('ENOENT')
    for (const none of ["new Error('x')", '({ code: 5 })', 'null', "'ENOENT'"]) {
      expect(systemErrorCode(foreign(none))).toBe(undefined)
    }
  })

  it('says what it says, an error or not', () => {
    expect(messageOf(foreign("new TypeError('of there')"))).toBe('of there')
    expect(messageOf(foreign("'text'"))).toBe('text')
    expect(messageOf(foreign('undefined'))).toBe('undefined')
  })

  it('is a typed array of its kind', () => {
    expect(isFloat32Array(foreign('new Float32Array(2)'))).toBe(true)
    for (const other of ['new Float64Array(2)', '[1]', '({ length: 1 })', 'new ArrayBuffer(4)', 'null']) {
      expect(isFloat32Array(foreign(other))).toBe(false)
    }
    expect(viewKind(foreign('new BigInt64Array(1)'))).toBe('BigInt64Array')
  })

  it('is shared memory, or not', () => {
    expect(isShared(foreign('new SharedArrayBuffer(8)'))).toBe(true)
    expect(isShared(foreign('new ArrayBuffer(8)'))).toBe(false)
  })

  it('is a promise when it has a then', () => {
    expect(isThenable(foreign('Promise.resolve(1)'))).toBe(true)
    expect(isThenable(foreign('({ done: false, value: 1 })'))).toBe(false)
  })

  it('has its strings interned in place, unless it is of a class', () => {
    const map = foreign<Map<string, string>>("new Map([['a', 'b']])")
    const data = foreign<Record<string, unknown>>("({ list: ['x'], get text() { return 'y' }, set text(to) { this.set = to }, map })", { map }) // prettier-ignore
    internStrings(data)
    expect(data).toMatchObject({ set: 'y', map })
  })
})

describe('the lint', () => {
  const { rules } = config.default.find((block) => block.rules?.['no-restricted-syntax'] !== undefined) ?? {}
  const found = (code: string): string[] => new Linter().verify(code, [{ rules }]).map(({ message }) => message)

  it.each(['Error', 'TypeError', 'Float32Array', 'ArrayBuffer', 'Promise', 'AbortSignal', 'Map'])(
    'refuses instanceof %s',
    (name) => {
      expect(found(`export const f = (x) => x instanceof ${name}`)).toEqual([expect.stringContaining('another realm')])
    },
  )

  it('refuses to compare a constructor', () => {
    expect(found('export const f = (x) => x.constructor === Float64Array').length).toBe(1)
  })

  it('allows classes of our own', () => {
    expect(found('class Own {}\nexport const f = (x) => x instanceof Own')).toEqual([])
  })
})
