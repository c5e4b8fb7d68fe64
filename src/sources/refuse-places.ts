/** Paths that are no file: URLs and folders. The errors name the way to what they hold. */
import { readdir } from 'node:fs/promises'
import { PathError } from '../errors.js'

const URL_BEGINNING = /^([a-z][a-z0-9+.-]+):\/\//i

/** @throws PathError for the URL of a remote file */
export function refuseUrl(path: string): void {
  const scheme = URL_BEGINNING.exec(path)?.[1].toLowerCase()
  if (scheme === undefined) return
  const isWeb = scheme === 'http' || scheme === 'https'
  const fetch =
    scheme === 'file'
      ? 'pass the path in place of the URL'
      : `download it first${isWeb ? ` (curl -LO ${path})` : scheme === 's3' ? ` (aws s3 cp ${path} .)` : ''}`
  const stream = isWeb ? `; JSON lines can be piped: curl -L ${path} | shardloom build - --out DIR` : ''
  throw new PathError(path, `it is a URL, and a file is needed; ${fetch}${stream}`)
}

/** @throws PathError for a folder, with the pattern of its files */
export async function refuseFolder(path: string): Promise<void> {
  // What is no folder, or is not there, is for the one who opens it.
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return
  const folders = entries.some((entry) => entry.isDirectory())
  const extension = entries
    .find((entry) => entry.isFile() && !/^[._]/.test(entry.name))
    ?.name.split('.')
    .pop()
  const pattern = `${path.replace(/\/+$/, '')}/${folders ? '**/' : ''}*.${folders ? 'parquet' : (extension ?? 'parquet')}`
  throw new PathError(path, `it is a folder, and a file is needed; name its files with a pattern: '${pattern}'`)
}
