/** What a run has to know of its source. */
export interface SourceOfRun {
  readonly isResumable: boolean
  /** The last change in `live/` that the source contains. Default: it replaces all that were acknowledged by now. */
  readonly liveSequence?: number | undefined
}
