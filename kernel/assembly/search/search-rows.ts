// Where rows are: one behind the other, or in pages. A table has each page's address, 0 for a missing page, which the
// host is asked to load. Both ways give the same answers to the bit.
import { RowTable, SearchContext } from './search-context'

/** Loads a page of the table `kind`, and enters its address in the table. May drop other pages of the table. */
@external("env", "loadPage")
declare function loadPage(context: usize, kind: u32, page: u32): void

/**
 * The address of one row whose page is missing, or 0 when the host has no more room for such rows: then pages are
 * loaded. The address is good for one expansion.
 */
@external("env", "loadRow")
declare function loadRow(context: usize, kind: u32, node: u32): usize

// Bytes of a row fetched ahead. At 384 dimensions 512 is 15% slower than 1024 or more; at 128, 384 is 25% slower than
// 512.
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

/** Whether the address of a row is still good. */
@inline
export function isPresent(table: RowTable, node: u32): bool {
  return !table.paged || load<u32>(table.pages + (<usize>(node >> table.shift) << 2)) != 0
}

/**
 * Brings the pages of all `count` rows in `c.ids` into memory at the same time. Loading one may drop another of them.
 * All present pages are marked as used before the next is loaded, so with room for twice as many the second round is
 * the last.
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
 * As fetchRows, while the host puts the rows of the first searches side by side instead of loading their pages. False
 * when it has ended that.
 */
function fetchLooseRows(c: SearchContext, table: RowTable, count: u32): bool {
  const ids = c.ids
  const out = c.addresses
  const mask = (<u32>1 << table.shift) - 1
  const stride = <usize>table.stride
  let row: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (<usize>i << 2))
    const page = <usize>load<u32>(table.pages + (<usize>(id >> table.shift) << 2))
    row = page == 0 ? loadRow(changetype<usize>(c), table.kind, id) : page + <usize>(id & mask) * stride
    if (row == 0) return false
    store<u32>(out + (<usize>i << 2), <u32>row)
  }
  v128.store(out + (<usize>count << 2), i32x4.splat(<i32>row))
  return true
}

/**
 * Writes the addresses of the rows in `c.ids` to `c.addresses`, padded to a multiple of 4, and loads one word per cache
 * line of them before the first distance is computed, so that their misses overlap. WebAssembly has no prefetch, so the
 * loads need a sink: the distances, which are overwritten later. Makes searches 1.3x as fast on SIFT 100k.
 */
@inline
export function fetchRows(c: SearchContext, table: RowTable, count: u32): void {
  if (table.paged) {
    if (table.loose && fetchLooseRows(c, table, count)) return
    gatherPages(c, table, count)
    addresses(true, c, table, count)
  } else addresses(false, c, table, count)
}
