// Finds identical rows by a hash of their bytes: open addressing, each row compared with the first of every group it
// may belong to.

const FREE: u32 = 0xffffffff
const SEED: u64 = 0x9e3779b97f4a7c15
const FACTOR: u64 = 0xbf58476d1ce4e5b9

@inline
function hashRow(row: usize, rowBytes: usize): u32 {
  let hash = SEED
  for (let at: usize = 0; at < rowBytes; at += 8) hash = rotl<u64>(hash ^ load<u64>(row + at), 29) * FACTOR
  return <u32>(hash >> 32)
}

@inline
function sameRow(a: usize, b: usize, rowBytes: usize): bool {
  for (let at: usize = 0; at < rowBytes; at += 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false
  }
  return true
}

export function groupRows(
  rows: usize, rowBytes: u32, count: u32, table: usize, tableMask: u32, firstOf: usize, distinct: usize,
): u32 {
  memory.fill(table, 0xff, (<usize>tableMask + 1) << 2)
  let found: u32 = 0
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + <usize>r * rowBytes
    let slot = hashRow(row, rowBytes) & tableMask
    let first = load<u32>(table + ((<usize>slot) << 2))
    while (first !== FREE && !sameRow(row, rows + <usize>first * rowBytes, rowBytes)) {
      slot = (slot + 1) & tableMask
      first = load<u32>(table + ((<usize>slot) << 2))
    }
    if (first === FREE) {
      first = r
      store<u32>(table + ((<usize>slot) << 2), r)
      store<u32>(distinct + ((<usize>found) << 2), r)
      found++
    }
    store<u32>(firstOf + ((<usize>r) << 2), first)
  }
  return found
}
