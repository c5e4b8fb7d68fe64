// Rows of identical members. A group is a tree in the order of its members, four children each, so that every copy is
// found from the first one and the first one from every copy:
//
//     first --> 1 2 3 4      copy i links to its parent (i - 1) / 4, to its children, and to the first one's real
//     1 --> 5 6 7 8          neighbours, as far as the row goes. The first gets its children; nobody else links to
//     2 --> 9 ..             copies, so that masses of them crowd out nothing.
import { insertLink } from './pipnn-rows'

const ARITY: u32 = 4

/** firstOf: as pipnnGroup made it. starts: u32 x (count + 1), order: u32 x count, both scratch. */
export function pipnnLinkCopies(
  firstOf: usize,
  count: u32,
  degree: u32,
  counts: usize,
  neighbours: usize,
  words: usize,
  starts: usize,
  order: usize,
): void {
  // Groups side by side, ascending in each: a counting sort by first member.
  memory.fill(starts, 0, (<usize>count + 1) << 2)
  for (let member: u32 = 0; member < count; member++) {
    const at = starts + ((<usize>load<u32>(firstOf + ((<usize>member) << 2))) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  let end: u32 = 0
  for (let member: u32 = 0; member <= count; member++) {
    end += load<u32>(starts + ((<usize>member) << 2))
    store<u32>(starts + ((<usize>member) << 2), end)
  }
  for (let member = count; member > 0; member--) {
    const at = starts + ((<usize>load<u32>(firstOf + ((<usize>(member - 1)) << 2))) << 2)
    const to = load<u32>(at) - 1
    store<u32>(at, to)
    store<u32>(order + ((<usize>to) << 2), member - 1)
  }
  for (let first: u32 = 0; first < count; first++) {
    const start = load<u32>(starts + ((<usize>first) << 2))
    const size = load<u32>(starts + ((<usize>(first + 1)) << 2)) - start
    if (size < 2) continue
    const group = order + ((<usize>start) << 2)
    // From the last to the first, whose own row the others copy.
    for (let i = size; i > 0; i--) {
      const place = i - 1
      const member = load<u32>(group + ((<usize>place) << 2))
      if (place > 0) {
        copyRow(counts, neighbours, words, degree, first, member)
        const parent = load<u32>(group + ((<usize>((place - 1) / ARITY)) << 2))
        insertLink(counts, neighbours, words, degree, member, parent, 0)
      }
      for (let child = ARITY * place + 1; child <= ARITY * place + ARITY && child < size; child++) {
        insertLink(counts, neighbours, words, degree, member, load<u32>(group + ((<usize>child) << 2)), 0)
      }
    }
  }
}

function copyRow(counts: usize, neighbours: usize, words: usize, degree: u32, from: u32, to: u32): void {
  const size = load<u32>(counts + ((<usize>from) << 2))
  const source = (<usize>from * degree) << 2
  const target = (<usize>to * degree) << 2
  for (let at: usize = 0; at < (<usize>size) << 2; at += 4) {
    store<u32>(neighbours + target + at, load<u32>(neighbours + source + at))
    store<u32>(words + target + at, load<u32>(words + source + at))
  }
  store<u32>(counts + ((<usize>to) << 2), size)
}
