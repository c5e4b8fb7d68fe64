/** What a run has to know of its source. */
export interface SourceOfRun extends LiveSource {
  readonly isResumable: boolean
}

/** What a source contains of the index that is built. */
export interface LiveSource {
  /** The last change in `live/` that the source contains. Default: it replaces all that are in the log by now. */
  readonly liveSequence?: number
  /** The generation that it was read from, empty for none: the build is refused when another one is live by now. */
  readonly base?: string
}
