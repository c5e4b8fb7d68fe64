import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoDate } from '../../src/fields/values/iso-date.js'

describe('isoDate', () => {
  it('reads what a Date writes', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(isoDate(date.toISOString())).toBe(date.getTime())
      }),
    )
  })

  it.each([
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-02-29T12:30', Date.UTC(2024, 1, 29, 12, 30)],
    ['2024-02-29 12:30:15', Date.UTC(2024, 1, 29, 12, 30, 15)],
    ['2024-02-29T12:30:15.1239', Date.UTC(2024, 1, 29, 12, 30, 15, 123)],
    ['2024-02-29T12:30:15,5Z', Date.UTC(2024, 1, 29, 12, 30, 15, 500)],
    ['2024-02-29T12:30+02:00', Date.UTC(2024, 1, 29, 10, 30)],
    ['2024-02-29 12:30:15-0130', Date.UTC(2024, 1, 29, 14, 0, 15)],
    ['2024-02-29 12:30:15+00', Date.UTC(2024, 1, 29, 12, 30, 15)],
    ['2023-12-31T24:00', Date.UTC(2024, 0, 1)],
    ['0001-01-01', Date.parse('0001-01-01')],
    ['-000044-03-15', Date.parse('-000044-03-15')],
  ])('reads %s, in UTC where it names no zone', (text, ms) => {
    expect(isoDate(text)).toBe(ms)
  })

  it.each([
    '',
    '2024',
    '2024-02',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-01-01T25:00',
    '2024-01-01T24:01',
    '2024-01-01T10:60',
    '2024-01-01T10:00:60',
    '2024-01-01T10:00+24:00',
    '2024-01-01T10',
    '2024-01-01 ',
    '1/2/2024',
    'Jan 1, 2024',
    '20240101',
  ])('does not read %j', (text) => {
    expect(isoDate(text)).toBeNaN()
  })
})
