/** Files that are known and not read: what they are, and the way to a file that is read. */

export interface UnreadFormat {
  /** Its first bytes. */
  readonly magic?: readonly number[]
  readonly extensions?: readonly string[]
  readonly what: string
}

const text = (magic: string): number[] => [...Buffer.from(magic, 'latin1')]
const PICKLE =
  'it is a pickle, which runs code when it is read; in Python: numpy.save(path, numpy.asarray(vectors, "<f4"))'
const NEIGHBOURS = 'holds neighbour numbers, not vectors'

export const UNREAD_FORMATS: readonly UnreadFormat[] = [
  { extensions: ['.ivecs'], what: `ivecs ${NEIGHBOURS}` },
  { extensions: ['.ibin'], what: `ibin ${NEIGHBOURS}` },
  { extensions: ['.pkl', '.pickle', '.joblib'], what: PICKLE },
  // The protocols 2 to 5, which begin with their number and, from 4 on, a frame.
  { magic: [0x80, 2], what: PICKLE },
  { magic: [0x80, 3], what: PICKLE },
  { magic: [0x80, 4, 0x95], what: PICKLE },
  { magic: [0x80, 5, 0x95], what: PICKLE },
  {
    magic: text('FEA1'),
    what: 'it is Feather version 1; write it again: pyarrow.feather.write_feather(pyarrow.feather.read_table(path), path)',
  },
  { magic: text('PARE'), what: 'it is Parquet with an encrypted footer; write it without encryption' },
  {
    magic: text('SQLite format 3\0'),
    what:
      'it is a SQLite database; print its rows as JSON lines and build from standard input: ' +
      `sqlite3 FILE "select json_object('id', id, 'vector', json(embedding)) from TABLE" | shardloom build - --out DIR`,
  },
  { magic: text('Obj\x01'), what: 'it is Avro; write it as Parquet' },
  { magic: text('ORC'), what: 'it is ORC; write it as Parquet' },
  { magic: text('IxF2'), what: 'it is an index of Faiss; save its vectors: numpy.save(path, index.reconstruct_n())' },
  { magic: text('IxFI'), what: 'it is an index of Faiss; save its vectors: numpy.save(path, index.reconstruct_n())' },
]
