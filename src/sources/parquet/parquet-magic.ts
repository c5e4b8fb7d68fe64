/** "PAR1", at both ends of a Parquet file. */
export const PARQUET_MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
