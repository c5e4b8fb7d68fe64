import type { Field } from './field.js'

/** Whether rows of one are rows of the other: the same names and types in the same order. */
export function areSameFields(a: readonly Field[] = [], b: readonly Field[] = []): boolean {
  return a.length === b.length && a.every(({ name, type }, at) => b[at].name === name && b[at].type === type)
}

/** In words, for messages. */
export function fieldsText(fields: readonly Field[] = []): string {
  return fields.length === 0
    ? 'no fields'
    : `the fields ${fields.map(({ name, type }) => `${name}: ${type}`).join(', ')}`
}
