import type { BuildReport } from '../api/report.js'

/** What to try when searches find too little. `directory`: the index, as a word of a shell. */
export function lowRecallAdvice({ quality }: Pick<BuildReport, 'quality'>, directory = 'DIR'): string {
  const search = `a larger ef for searches (shardloom recall ${directory} --target-recall R chooses one)`
  if (quality === 'imported') return search
  return `${quality === 'high' ? '' : `quality 'high' or `}a larger m for the build, or ${search}`
}
