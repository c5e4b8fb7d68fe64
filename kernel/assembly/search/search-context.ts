// What a search works on, as src/search/core/search-context.ts writes it: u32 words, except for the fields of type f32.

/** What rows hold, and how their distances are computed. encode-*.ts writes quantized rows. */
export const F32_L2: u32 = 0
export const F32_DOT: u32 = 1
export const F16_L2: u32 = 2
export const F16_DOT: u32 = 3
export const SQ8: u32 = 4
export const PQ: u32 = 5
export const BINARY: u32 = 6

export const L2: u32 = 0
export const COSINE: u32 = 1
export const IP: u32 = 2

/** Rows by node: one behind the other, or (`paged`) in pages that are loaded and dropped. */
@unmanaged
export class RowTable {
  rows!: usize // address of node 0's row, when not paged
  stride!: u32 // bytes
  encoding!: u32 // as above; 0 for links
  kind!: u32 // names the table when the host is asked for a page
  paged!: u32 // 0 or 1
  pages!: usize // paged: u32 address per page, 0 for a missing page
  used!: usize // paged: u8 per page, set to 1 at every use
  shift!: u32 // paged: a page is 2^shift rows
  loose!: u32 // paged: 1 while missing rows may lie anywhere: search-rows.ts
  far!: u32 // 1: the rows lie in other memories, where the host has the distances computed; 0: in this one
}

@unmanaged
export class SearchContext {
  count!: u32 // nodes
  dimensions!: u32
  metric!: u32
  walked!: usize // RowTable: what the graph is walked on
  exact!: usize // RowTable: f32 vectors, for the final scores of the best; the same as `walked` without quantization
  links!: usize // RowTable: rows of u32 count, then node numbers
  levelCount!: u32 // levels >= 1
  levels!: usize // LevelTable per level, ascending
  upperStride!: usize // bytes of one links row on levels >= 1
  entry!: u32 // index into the top level's arrays, or the node when there is no upper level
  visited!: usize // u8 tag per node, zero at first
  epoch!: u32 // the tag that means visited; 0 at first, kept by the search
  upperVisited!: usize // u8 tag per index of level 1, zero at first; serves every level >= 1
  upperEpoch!: u32
  upperCount!: u32 // indexes of level 1
  query!: usize // f32 x dimensions
  codebook!: usize // of the quantized vectors
  prepared!: usize // the query, prepared for quantized vectors: search-codes.ts
  preparedScale!: f32
  preparedBias!: f32
  beam!: usize // u64 x 2 ef, the second half for copies; afterwards the results, ascending: (u32 node, f32 distance) each
  // Levels >= 1, whose links rows are half as long, put indexes behind the nodes.
  ids!: usize // u32 scratch: the longest links row + 4
  distances!: usize // f32 scratch, as long
  addresses!: usize // u32 scratch, as long: addresses of the rows in ids
  computed!: u32 // out: distances computed by the last search
  copies!: u32 // u64 keys behind the beam: copies of nodes in it
}

@unmanaged
export class LevelTable {
  nodes!: usize // u32 per index
  down!: usize // u32 per index: index in the level below, the node itself at level 1
  links!: usize // rows of u32 count, then indexes into this level
}
