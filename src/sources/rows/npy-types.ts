/** NumPy's dtypes: which are read, and how to convert the others. Pure. */
import { bigEndian, VALUE_TYPES, type ValueType, type ValueTypeName } from './value-type.js'

const READ: readonly ValueTypeName[] = ['f2', 'f4', 'f8', 'i1', 'u1', 'i2', 'u2']

/** For messages. */
export const NPY_TYPES = READ.join(', ')

/** Such as '<f4', '>f4' or '|u1'; undefined for a type that is not read. */
export function npyValueType(descr: string): ValueType | undefined {
  const [, order, name] = /^([<>|=])(\w+)$/.exec(descr) ?? []
  const type = READ.find((known) => known === name)
  if (type === undefined) return undefined
  const { [type]: read } = VALUE_TYPES
  // A type of one byte has no byte order, and NumPy writes a bar.
  if (order === '|' && read.bytes > 1) return undefined
  return order === '>' ? bigEndian(read) : read
}

/** The line of Python that makes an array that is read. */
export function npyTypeHint(descr: string): string {
  if (descr.startsWith('[')) return structuredHint(descr)
  if (/^[<>|=]?O/.test(descr)) {
    return (
      'it holds Python objects: make one array of rows of equal length, ' +
      `numpy.save(path, numpy.stack([numpy.asarray(row, '<f4') for row in array]))`
    )
  }
  if (/^[<>|=]?c/.test(descr)) return `its numbers are complex: numpy.save(path, array.view(array.real.dtype))`
  if (/^[<>|=]?[SU]/.test(descr)) return `it holds text: save the array of vectors, or pass these as ids (--ids FILE)`
  return `convert it: numpy.save(path, array.astype('<f4'))`
}

/** A field of several numbers is the vector, when there is one; otherwise every field is one number of it. */
function structuredHint(descr: string): string {
  const field = /\[?\((\w+),[<>|=]?[fiu]\d,\(/.exec(descr)?.[1]
  if (field !== undefined) return `save its field of vectors: numpy.save(path, array['${field}'].astype('<f4'))`
  return (
    'save its fields as columns: from numpy.lib.recfunctions import structured_to_unstructured; ' +
    `numpy.save(path, structured_to_unstructured(array, '<f4'))`
  )
}
