/** One field of one part of an index, as the scoring of words sees it: of a generation, or of rows in memory. */
import type { PostingsCursor } from '../../../format/fields/postings-cursor.js'

/** A window of nodes is scored at a time. One page of lengths, and of the checksums of their file. */
export const WINDOW_NODES = 4096

export interface TextPart {
  /** Nodes that have a text, an empty one too. */
  readonly documents: number
  /** Terms in all texts, repeated ones too. */
  readonly tokens: number
  /** Nodes that have the term. */
  frequency(term: string): number
  /**
   * The terms that begin with `prefix`, and are longer, with the nodes that have them: at most `most`, those with the
   * most nodes, the first ones of equals.
   */
  longerTerms(prefix: string, most: number): ReadonlyMap<string, number>
  /** The nodes that have the term; undefined when none has. */
  postings(term: string): PostingsCursor | undefined
  /** Terms of the texts of a window of nodes, which begins at `WINDOW_NODES * window`. Valid until the next call. */
  lengths(window: number): Uint32Array
}
