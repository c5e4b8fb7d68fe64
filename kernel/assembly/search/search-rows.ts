// Where rows are: one behind the other, or in pages that come and go. A table has each page's address, 0 for one that is
// not here, which the host is then asked for. Both ways give the same answers to the bit.
import { RowTable, SearchContext } from './search-context'

/** Puts a page of the table named `kind` into memory and into the table; may take others of the table out. */
@external("env", "loadPage")
declare function loadPage(context: usize, kind: u32, page: u32): void

// Bytes of a row fetched ahead: 512 is 15% slower than 1024 or more at 384 dimensions, 384 25% slower than 512 at 128 dimensions.
const TOUCH_BYTES: usize = 1024

/** The address of one row. */
@inline
export function rowOf(c: SearchContext, table: RowTable, node: u32): usize {
  const stride = <usize>table.stride
  if (!table.paged) return table.rows + <usize>node * stride
  const shift = table.shift
  const page = node >> shift
  const entry = table.pages + (<usize>page << 2)
  if (load<u32>(entry) == 0) loadPage(changetype<usize>(c), table.kind, page)
  store<u8>(table.used + page, 1)
  return <usize>load<u32>(entry) + <usize>(node & ((<u32>1 << shift) - 1)) * stride
}

/**
 * Has the pages of all `count` rows named in `c.ids` here at the same time. Loading one may take out another of them; all
 * that are here are marked as used before the next is loaded, so with room for twice as many the second round ends it.
 */
function gatherPages(c: SearchContext, table: RowTable, count: u32): void {
  const ids = c.ids
  const pages = table.pages
  const used = table.used
  const shift = table.shift
  for (;;) {
    let missing: u32 = 0
    for (let i: u32 = 0; i < count; i++) {
      const page = load<u32>(ids + (<usize>i << 2)) >> shift
      if (load<u32>(pages + (<usize>page << 2)) == 0) missing++
      else store<u8>(used + page, 1)
    }
    if (missing == 0) return
    for (let i: u32 = 0; i < count; i++) {
      const page = load<u32>(ids + (<usize>i << 2)) >> shift
      if (load<u32>(pages + (<usize>page << 2)) == 0) loadPage(changetype<usize>(c), table.kind, page)
    }
  }
}

@inline
function addresses(paged: bool, c: SearchContext, table: RowTable, count: u32): void {
  const ids = c.ids
  const out = c.addresses
  const rows = table.rows
  const pages = table.pages
  const shift = table.shift
  const mask = (<u32>1 << shift) - 1
  const stride = <usize>table.stride
  const bytes = min(stride, TOUCH_BYTES)
  let sink = i32x4.splat(0)
  let row: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (<usize>i << 2))
    if (paged) row = <usize>load<u32>(pages + (<usize>(id >> shift) << 2)) + <usize>(id & mask) * stride
    else row = rows + <usize>id * stride
    store<u32>(out + (<usize>i << 2), <u32>row)
    for (let o: usize = 0; o < bytes; o += 64) sink = v128.or(sink, v128.load32_zero(row + o))
  }
  v128.store(c.distances, sink)
  v128.store(out + (<usize>count << 2), i32x4.splat(<i32>row))
}

/**
 * The addresses of the rows named in `c.ids`, into `c.addresses`, padded to a multiple of 4; and one load per cache line of
 * them, before the first is computed: their misses overlap. WebAssembly has no prefetch, so the loads need a sink: the
 * distances are scratch that is written over. Makes searches 1.3x as fast on SIFT 100k.
 */
@inline
export function fetchRows(c: SearchContext, table: RowTable, count: u32): void {
  if (table.paged) {
    gatherPages(c, table, count)
    addresses(true, c, table, count)
  } else addresses(false, c, table, count)
}
