// Records on their way from ingest to shards: `[u32 ordinal][row]`, all of one length.

const ORDINAL_BYTES: usize = 4

/** Rows are whole u32 words, aligned to 4 bytes. */
@inline
function copyRow(from: usize, to: usize, rowBytes: usize): void {
  const end = from + rowBytes
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from))
  for (; from < end; from += 4, to += 4) store<u32>(to, load<u32>(from))
}

export function scatterRecords(records: usize, count: u32, rowBytes: u32, places: usize, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const place = <usize>load<u32>(places + ((<usize>i) << 2))
    copyRow(records + ORDINAL_BYTES, out + place * rowBytes, rowBytes)
    records += ORDINAL_BYTES + rowBytes
  }
}

export function gatherRecords(records: usize, count: u32, rowBytes: u32, order: usize, out: usize): void {
  const recordBytes = ORDINAL_BYTES + rowBytes
  for (let i: u32 = 0; i < count; i++) {
    const record = records + <usize>load<u32>(order + ((<usize>i) << 2)) * recordBytes
    copyRow(record + ORDINAL_BYTES, out, rowBytes)
    out += rowBytes
  }
}

/** Whether the i-th leader of a row repeats an earlier one; the row goes there once. */
@inline
function isRepeat(nearest: usize, i: u32): bool {
  const leader = load<u32>(nearest + ((<usize>i) << 2))
  for (let j: u32 = 0; j < i; j++) if (load<u32>(nearest + ((<usize>j) << 2)) === leader) return true
  return false
}

@inline
function addTo(array: usize, index: u32, addend: u32): void {
  const at = array + ((<usize>index) << 2)
  store<u32>(at, load<u32>(at) + addend)
}

/** Appends a record to its partition. */
@inline
function append(offsets: usize, partition: u32, out: usize, ordinal: u32, row: usize, rowBytes: u32): void {
  const at = offsets + ((<usize>partition) << 2)
  const offset = load<u32>(at)
  const record = out + offset
  store<u32>(record, ordinal)
  copyRow(row, record + ORDINAL_BYTES, rowBytes)
  store<u32>(at, offset + <u32>ORDINAL_BYTES + rowBytes)
}

/** Fields: ROUTE_RECORDS in kernel/blocks.ts. */
@unmanaged
export class RouteRecords {
  nearest!: usize
  count!: u32
  overlap!: u32
  leaders!: u32
  ordinals!: usize
  rows!: usize
  rowBytes!: u32
  grid!: usize
  gridBytes!: u32
  counts!: usize
  offsets!: usize
  out!: usize
}

export function routeRecords(route: RouteRecords): u32 {
  const nearest = route.nearest
  const count = route.count
  const overlap = route.overlap
  const leaders = route.leaders
  const ordinals = route.ordinals
  const rows = route.rows
  const rowBytes = route.rowBytes
  const grid = route.grid
  const gridBytes = route.gridBytes
  const counts = route.counts
  const offsets = route.offsets
  const out = route.out
  memory.fill(counts, 0, (<usize>leaders) << 3)
  const listBytes = (<usize>overlap) << 2
  let list = nearest
  for (let r: u32 = 0; r < count; r++) {
    addTo(counts, load<u32>(list), 1)
    for (let i: u32 = 1; i < overlap; i++) {
      if (!isRepeat(list, i)) addTo(counts, leaders + load<u32>(list + ((<usize>i) << 2)), 1)
    }
    list += listBytes
  }
  let end: u32 = 0
  for (let partition: u32 = 0; partition < 2 * leaders; partition++) {
    store<u32>(offsets + ((<usize>partition) << 2), end)
    const recordBytes = <u32>ORDINAL_BYTES + (partition < leaders ? rowBytes : gridBytes)
    end += load<u32>(counts + ((<usize>partition) << 2)) * recordBytes
  }
  list = nearest
  for (let r: u32 = 0; r < count; r++) {
    const ordinal = load<u32>(ordinals + ((<usize>r) << 2))
    append(offsets, load<u32>(list), out, ordinal, rows + <usize>r * rowBytes, rowBytes)
    for (let i: u32 = 1; i < overlap; i++) {
      if (isRepeat(list, i)) continue
      const partition = leaders + load<u32>(list + ((<usize>i) << 2))
      append(offsets, partition, out, ordinal, grid + <usize>r * gridBytes, gridBytes)
    }
    list += listBytes
  }
  return end
}
