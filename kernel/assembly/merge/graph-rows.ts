// A shard graph as rows by node, for the merge: u32 words `[node][count][count x neighbour][count x distance word]`.
const RUN_BYTES: usize = 12

/** Fields: WRITE_GRAPH_ROWS in kernel/blocks.ts. */
@unmanaged
export class WriteGraphRows {
  count!: u32
  homeCount!: u32
  before!: u32
  nodes!: usize
  offsets!: usize
  neighbours!: usize
  words!: usize
  starts!: usize
  runBytes!: u32
  out!: usize
  runs!: usize
}

export function writeGraphRows(graph: WriteGraphRows): u32 {
  const count = graph.count
  const homeCount = graph.homeCount
  const before = graph.before
  const nodes = graph.nodes
  const offsets = graph.offsets
  const neighbours = graph.neighbours
  const words = graph.words
  const starts = graph.starts
  const runBytes = graph.runBytes
  const runs = graph.runs
  let out = graph.out
  let run = runs - RUN_BYTES
  let segment: u32 = 0
  let segmentEnd: u32 = 0
  let rows: u32 = 0
  let bytes: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const member = i < before ? homeCount + i : i < before + homeCount ? i - before : i
    const node = load<u32>(nodes + ((<usize>member) << 2))
    const from = load<u32>(offsets + ((<usize>member) << 2))
    const degree = load<u32>(offsets + ((<usize>member) << 2), 4) - from
    const rowBytes = 8 + 8 * degree
    const entered = node >= segmentEnd
    if (entered) {
      while (node >= load<u32>(starts + ((<usize>segment) << 2), 4)) segment++
      segmentEnd = load<u32>(starts + ((<usize>segment) << 2), 4)
    }
    if (entered || bytes + rowBytes > runBytes) {
      run += RUN_BYTES
      store<u32>(run, segment)
      rows = 0
      bytes = 0
    }
    rows++
    bytes += rowBytes
    store<u32>(run, rows, 4)
    store<u32>(run, bytes, 8)
    store<u32>(out, node)
    store<u32>(out, degree, 4)
    out += 8
    const linksBytes = (<usize>degree) << 2
    const links = neighbours + ((<usize>from) << 2)
    const distances = words + ((<usize>from) << 2)
    for (let at: usize = 0; at < linksBytes; at += 4) {
      store<u32>(out + at, load<u32>(nodes + ((<usize>load<u32>(links + at)) << 2)))
      store<u32>(out + linksBytes + at, load<u32>(distances + at))
    }
    out += 2 * linksBytes
  }
  return <u32>((run + RUN_BYTES - runs) / RUN_BYTES)
}
