/** Expands patterns such as `parts/*.parquet` to the files they match, when no shell did. */
import { stat } from 'node:fs/promises'
import { InvalidOptionError, PathError } from '../errors.js'
import { checkPath } from './check-path.js'

/** Without one of these a path is not a pattern, and tinyglobby need not be loaded. */
const PATTERN_CHARACTERS = /[*?[\]{}()!+@\\]/

/**
 * The paths in the given order, each pattern replaced by the files it matches, sorted by code units so that ordinals
 * are the same on every machine. A path that exists is not a pattern. '-' is standard input, at most once.
 * @throws PathError for a pattern that matches nothing
 * @throws InvalidOptionError without a path
 */
export async function expandPaths(given: readonly string[]): Promise<string[]> {
  if (given.length === 0) throw new InvalidOptionError('no vector file is given')
  for (const path of given) checkPath(path, 'the file of vectors')
  if (given.filter((path) => path === '-').length > 1) {
    throw new InvalidOptionError("standard input ('-') can be read only once, and is given twice")
  }
  const paths: string[] = []
  for (const path of given) {
    if (path === '-' || !PATTERN_CHARACTERS.test(path) || (await exists(path))) {
      paths.push(path)
      continue
    }
    const { glob, isDynamicPattern } = await import('tinyglobby')
    if (!isDynamicPattern(path)) {
      paths.push(path)
      continue
    }
    const matches = await glob(path, { absolute: path.startsWith('/'), onlyFiles: true, expandDirectories: false })
    if (matches.length === 0) throw new PathError(path, 'no file matches this pattern')
    paths.push(...matches.sort())
  }
  return paths
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
