// Identical members of a shard, found by their bytes. Only the first of each group is carved, paired and pruned:
// distances cannot tell copies apart, and a reservoir keeps one of them. pipnn-copies.ts links the others to it.

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

/**
 * firstOf: u32 x count, the lowest member with the same bytes; distinct: u32 x count, the members that are their own
 * first, ascending. table: u32 x (tableMask + 1), a power of two above count. Returns how many are distinct.
 */
export function pipnnGroup(
  codes: usize,
  rowBytes: u32,
  count: u32,
  table: usize,
  tableMask: u32,
  firstOf: usize,
  distinct: usize,
): u32 {
  memory.fill(table, 0xff, (<usize>tableMask + 1) << 2)
  let found: u32 = 0
  for (let member: u32 = 0; member < count; member++) {
    const row = codes + <usize>member * rowBytes
    let slot = hashRow(row, rowBytes) & tableMask
    let first = load<u32>(table + ((<usize>slot) << 2))
    while (first !== FREE && !sameRow(row, codes + <usize>first * rowBytes, rowBytes)) {
      slot = (slot + 1) & tableMask
      first = load<u32>(table + ((<usize>slot) << 2))
    }
    if (first === FREE) {
      first = member
      store<u32>(table + ((<usize>slot) << 2), member)
      store<u32>(distinct + ((<usize>found) << 2), member)
      found++
    }
    store<u32>(firstOf + ((<usize>member) << 2), first)
  }
  return found
}
