/** The data of a file of one field, as a search reads it: `SegmentBlocks`, or bytes in a test. */
export interface FieldData {
  readonly path: string
  readonly header: { readonly dataBytes: number }
  /** Fills `into` from data byte `dataOffset`. @throws CorruptIndexError */
  read(dataOffset: number, into: Uint8Array): void
}
