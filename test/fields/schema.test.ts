import { describe, expect, it } from 'vitest'
import { FIELD_TYPES } from '../../src/api/fields.js'
import { InvalidOptionError } from '../../src/errors.js'
import { assertFields, fieldListProblem, schemaOf, unknownField } from '../../src/fields/schema.js'

describe('a schema of fields', () => {
  it('is a list in its order, of every type', () => {
    const schema = Object.fromEntries(FIELD_TYPES.map((type) => [`the ${type}`, type]))
    expect(assertFields(schema)).toEqual(FIELD_TYPES.map((type) => ({ name: `the ${type}`, type })))
    expect(schemaOf(assertFields(schema))).toEqual(schema)
  })

  it.each([
    [undefined, 'fields must be an object of names and types, got undefined'],
    [['category'], 'fields must be an object of names and types, got an array'],
    [new Map([['category', 'keyword']]), 'fields must be an object of names and types, got a Map'],
    [{}, 'at least one field is needed'],
    [{ a: 'keywrod' }, '"a" has the type the string "keywrod", expected one of keyword, keyword[], number'],
    [{ a: 'keywrod' }, 'did you mean "keyword"?'],
    [{ a: 5 }, '"a" has the type the number 5, expected one of'],
    [{ '': 'text' }, 'a name has 1 to 200 characters'],
    [{ ['x'.repeat(201)]: 'text' }, 'a name has 1 to 200 characters'],
    [{ $eq: 'text' }, '"$eq" begins with $, as the operators of filters do'],
    [{ '\ud800': 'text' }, '"\\ud800" has half of a surrogate pair'],
    [JSON.parse('{"__proto__": "text"}'), 'a field cannot be named "__proto__"'],
    [Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, 'text'])), '257 fields, at most 256'],
  ])('%o is refused', (schema, message) => {
    expect(() => assertFields(schema)).toThrow(InvalidOptionError)
    expect(() => assertFields(schema)).toThrow(message)
  })

  it('may have 256 fields, and names of 200 characters', () => {
    expect(assertFields(Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`f${i}`, 'text'])))).toHaveLength(256)
    expect(assertFields({ ['x'.repeat(200)]: 'text' })).toHaveLength(1)
  })
})

describe('a list of fields from a file', () => {
  const field = { name: 'a', type: 'keyword' }

  it('has nothing wrong when it is as it was written', () => {
    expect(fieldListProblem([field, { name: 'b', type: 'geo' }])).toBeUndefined()
  })

  it.each([
    [{ a: 'keyword' }, 'a list of fields is expected, got an object'],
    [[null], 'a field with a name and a type is expected, got null'],
    [[{ type: 'keyword' }], 'a name must be a string, got undefined'],
    [[{ name: 'a' }], '"a" has the type undefined'],
    [[field, field], '"a" is there twice'],
  ])('%o is wrong', (list, problem) => {
    expect(fieldListProblem(list)).toContain(problem)
  })
})

describe('an unknown field', () => {
  it('has the nearest name, or all names, in its message', () => {
    const fields = ['price', 'title'].map((name) => ({ name, type: 'keyword' as const }))
    expect(unknownField('titel', fields)).toBe('unknown field "titel"; did you mean "title"?')
    expect(unknownField('colour', fields)).toBe('unknown field "colour"; the fields are price, title')
    expect(unknownField('a', [])).toBe('unknown field "a"; the index has no fields')
  })
})
