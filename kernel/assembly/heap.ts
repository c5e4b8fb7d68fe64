/** First byte after the module's static data: everything from here on belongs to the loader's arena. */
export function heapBase(): usize {
  return __heap_base
}
