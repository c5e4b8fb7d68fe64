/** The first byte after the module's static data: the loader's arena begins here. */
export function heapBase(): usize {
  return __heap_base
}
