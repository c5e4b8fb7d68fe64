import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import { assertFields } from '../../src/fields/schema.js'
import { FILTER_SCHEMA } from '../fixtures/field-filters.js'

const FIELDS = assertFields(FILTER_SCHEMA)
const parse = (filter: unknown) => parseFilter(FIELDS, filter)

const [category, , price, , published, inStock, place] = FIELDS.keys()

describe('parseFilter', () => {
  it('reads a value as equality', () => {
    expect(parse({ category: 'a' })).toEqual({ op: 'in', field: category, negated: false, values: ['a'] })
    expect(parse({ inStock: false })).toEqual({ op: 'in', field: inStock, negated: false, values: [false] })
    expect(parse({ published: '1970-01-01T00:00:01Z' })).toEqual(parse({ published: { $eq: new Date(1000) } }))
    expect(parse({ price: 5n })).toEqual(parse({ price: 5 }))
  })

  it('reads bounds of one condition as one range, the tighter ones', () => {
    const range = { op: 'range', field: price, negated: false }
    expect(parse({ price: { $gte: 1, $lt: 5 } })).toEqual({
      ...range,
      low: 1,
      high: 5,
      lowIncluded: true,
      highIncluded: false,
    })
    expect(parse({ price: { $gte: 1, $gt: 1, $lte: 9, $lt: 10 } })).toEqual({
      ...range,
      low: 1,
      high: 9,
      lowIncluded: false,
      highIncluded: true,
    })
    expect(parse({ price: { $gt: -0 } })).toEqual({ ...range, low: 0, lowIncluded: false, highIncluded: false })
  })

  it('sorts values by their UTF-8 bytes, each once', () => {
    expect(parse({ category: { $in: ['😀', '～', 'b', 'a', 'b'] } })).toMatchObject({ values: ['a', 'b', '～', '😀'] })
    expect(parse({ price: { $in: new Set([10, 9, -0]) } })).toMatchObject({ values: [0, 9, 10] })
    expect(parse({ inStock: { $in: [true, false, true] } })).toMatchObject({ values: [false, true] })
    expect(parse({ published: { $in: [new Date(2), 1] } })).toMatchObject({ field: published, values: [1, 2] })
  })

  it('pushes negations down to the leaves', () => {
    expect(parse({ $not: { $or: [{ category: 'a' }, { price: { $ne: 1 } }] } })).toEqual({
      op: 'and',
      of: [
        { op: 'in', field: category, negated: true, values: ['a'] },
        { op: 'in', field: price, negated: false, values: [1] },
      ],
    })
    expect(parse({ $not: { $not: { price: 1 } } })).toEqual(parse({ price: 1 }))
    expect(parse({ price: { $not: { $not: 1 } } })).toEqual(parse({ price: 1 }))
    expect(parse({ $not: { price: { $exists: true } } })).toEqual({ op: 'exists', field: price, negated: true })
  })

  it('has the plainest form', () => {
    const nothing = { op: 'or', of: [] }
    expect(parse({})).toEqual({ op: 'all' })
    expect(parse({ $and: [] })).toEqual({ op: 'all' })
    expect(parse({ $or: [] })).toEqual(nothing)
    expect(parse({ $not: {} })).toEqual(nothing)
    expect(parse({ price: { $in: [] } })).toEqual(nothing)
    expect(parse({ price: { $nin: [] } })).toEqual({ op: 'exists', field: price, negated: false })
    expect(parse({ $or: [{ price: 1 }, {}] })).toEqual({ op: 'all' })
    expect(parse({ price: 1, $or: [] })).toEqual(nothing)
    expect(parse({ $or: [{ $or: [{ price: 1 }] }, { $and: [{ price: 1 }] }] })).toMatchObject({
      op: 'or',
      of: [{}, {}],
    })
    expect(parse({ $and: [{ $and: [{ price: 1 }, { category: 'a' }] }, { inStock: true }] })).toMatchObject({
      op: 'and',
      of: [{ field: price }, { field: category }, { field: inStock }],
    })
  })

  it('reads a place', () => {
    expect(parse({ place: { $near: { lat: 1, lon: -0, km: 3 } } })).toEqual({
      op: 'near',
      field: place,
      negated: false,
      lat: 1,
      lon: 0,
      km: 3,
    })
  })
})

const deep = (key: string, levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => ({ [key]: key === '$not' ? inner : [inner] }), {})

describe('a filter is refused', () => {
  it.each([
    [[], 'filter must be an object, got an array'],
    [new Map(), 'filter must be an object, got a Map'],
    ['a', 'filter must be an object, got the string "a"'],
    [{ prise: 1 }, 'filter: unknown field "prise"; did you mean "price"?'],
    [{ colour: 1 }, 'filter: unknown field "colour"; the fields are category, tags, price'],
    [JSON.parse('{"__proto__": 1}'), 'filter: unknown field "__proto__"'],
    [{ constructor: 1 }, 'filter: unknown field "constructor"'],
    [{ $adn: [] }, 'filter: unknown operator "$adn"; did you mean "$and"?'],
    [{ $where: 'x' }, 'filter: unknown operator "$where"; the operators are $and, $or, $not'],
    [{ $gt: 5 }, 'filter: $gt belongs to a field: { field: { $gt: … } }'],
    [{ $and: { price: 1 } }, 'filter: $and must be an array of filters, got an object'],
    [{ $or: [5] }, 'filter must be an object, got the number 5'],
    [{ $not: [{ price: 1 }] }, 'filter must be an object, got an array'],
    [{ price: { $gtt: 5 } }, 'filter: "price": unknown operator "$gtt"; did you mean "$gt"?'],
    [{ price: { $regex: 5 } }, 'filter: "price": unknown operator "$regex"; it takes $eq, $ne, $gt'],
    [{ price: { gt: 5 } }, 'filter: "price": "gt" is no operator; give a value, or $eq, $ne, $gt'],
    [{ price: {} }, 'filter: "price": an operator is needed: $eq, $ne, $gt'],
    [{ price: '5' }, 'filter: "price" $eq: must be a finite number, got the string "5"'],
    [{ price: { $lt: NaN } }, 'filter: "price" $lt: must be a finite number, got the number NaN'],
    [{ price: { $lt: undefined } }, 'filter: "price" $lt: undefined is no value'],
    [
      { price: null },
      'filter: "price" $eq: null is no value; { "price": { "$exists": false } } finds records without one',
    ],
    [{ price: { $eq: null } }, '{ "price": { "$exists": false } } finds records without one'],
    [{ price: { $in: [1, null] } }, 'filter: "price" $in: null is no value'],
    [{ price: undefined }, 'filter: "price" $eq: undefined is no value'],
    [{ price: [1, 2] }, 'filter: "price": is compared with an array; { "$in": [ … ] } finds one of several values'],
    [{ tags: new Set(['a']) }, 'filter: "tags": is compared with a Set; { "$in": [ … ] }'],
    [{ tags: { $in: 'a' } }, 'filter: "tags" $in: must be an array of values, got the string "a"'],
    [{ tags: 5 }, 'filter: "tags" $eq: must be a string, got the number 5'],
    [{ category: '\ud800' }, 'filter: "category" $eq: the string has half of a surrogate pair'],
    [{ inStock: 'true' }, 'filter: "inStock" $eq: must be true or false, got the string "true"'],
    [
      { inStock: { $gt: true } },
      '"inStock": $gt is not for a field of type boolean, which takes $eq, $ne, $in, $nin, $exists',
    ],
    [{ published: 'today' }, 'filter: "published" $eq: must be a Date, text of ISO 8601 or milliseconds since 1970'],
    [{ published: new Date(NaN) }, 'filter: "published" $eq: must be a Date, text of ISO 8601'],
    [{ price: { $exists: 1 } }, 'filter: "price" $exists: must be true or false, got the number 1'],
    [
      { title: 'solar' },
      '"title": equality is not for a field of type text, which takes $exists; the option text of a search',
    ],
    [{ extra: { $in: [] } }, '"extra": $in is not for a field of type stored, which takes $exists; make it a keyword'],
    [{ place: { lat: 1, lon: 2 } }, 'filter: "place": "lat" is no operator; give { "$near": { lat, lon, km } }'],
    [{ place: { $eq: 1 } }, '"place": equality is not for a field of type geo, which takes $near, $exists'],
    [{ place: { $near: [1, 2] } }, 'filter: "place" $near: must be { lat, lon, km }, got an array'],
    [{ place: { $near: { lat: 91, lon: 2, km: 1 } } }, 'must be given a lat of −90 to 90, got the number 91'],
    [{ place: { $near: { lat: 1, lng: 2, km: 1 } } }, 'must be given a lon of −180 to 180, got undefined'],
    [{ place: { $near: { lat: 1, lon: 2, km: -1 } } }, 'must be given km, a number from 0, got the number -1'],
    [{ place: { $near: { lat: 1, lon: 2, km: 1, m: 5 } } }, 'takes lat, lon and km, not "m"'],
    [deep('$not', 70), 'filter: nested more than 64 deep'],
    [deep('$or', 70), 'filter: nested more than 64 deep'],
  ])('%j', (filter, message) => {
    expect(() => parse(filter)).toThrow(InvalidOptionError)
    expect(() => parse(filter)).toThrow(message)
  })

  it('when $not is in $not of one field again and again', () => {
    expect(() => parse({ price: deep('$not', 100_000) })).toThrow('filter: "price" $not: nested more than 8 deep')
  })

  it('by an index without fields', () => {
    expect(() => parseFilter([], { price: 1 })).toThrow('filter: unknown field "price"; the index has no fields')
  })
})
