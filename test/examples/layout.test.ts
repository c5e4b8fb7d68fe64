import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { preProcessFile } from 'typescript'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from './run.js'

/** The rules of ARCHITECTURE.md about which file may import which, and what comments may cite. */

const textOf = (name: string): string => readFileSync(path.join(REPOSITORY, name), 'utf8')

const FILES = ['src', 'spill', 'kernel', 'workers'].flatMap((folder) =>
  readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
    .filter((name) => name.endsWith('.ts')),
)

/** The files that `file` imports, types too; and the packages. */
function importsOf(file: string): { readonly files: string[]; readonly packages: string[] } {
  const names = preProcessFile(textOf(file), true, true).importedFiles.map(({ fileName }) => fileName)
  const relative = names.filter((name) => name.startsWith('.'))
  return {
    files: relative.map((name) => {
      const target = path.posix.join(path.posix.dirname(file), name)
      const source = target.endsWith('.js') ? target.replace(/\.js$/, '.ts') : `${target}.ts`
      return source
    }),
    packages: names.filter((name) => !name.startsWith('.')),
  }
}

const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]))

/** The rows of the table of folders: `| 7 | `src/tasks` | … |`. */
const FLOORS = [...textOf('ARCHITECTURE.md').matchAll(/^\| +(\d+) +\| +`([\w/.-]+)` +\|/gm)].map(
  ([, floor, place]) => ({
    floor: Number(floor),
    place,
  }),
)

const placeOf = (file: string): (typeof FLOORS)[number] | undefined =>
  FLOORS.find(({ place }) => file === place || file.startsWith(`${place}/`))

describe('the floors of ARCHITECTURE.md', () => {
  it('have a place for every source file, and no place without one', () => {
    expect(FLOORS.length).toBeGreaterThan(10)
    expect(FILES.filter((file) => placeOf(file) === undefined)).toEqual([])
    expect(FLOORS.filter(({ place }) => !FILES.some((file) => file === place || file.startsWith(`${place}/`)))).toEqual(
      [],
    )
  })

  it.each(FLOORS)('$place (floor $floor) imports from lower floors and itself', ({ floor, place }) => {
    const upward = FILES.filter((file) => placeOf(file)?.place === place).flatMap((file) =>
      (IMPORTS.get(file)?.files ?? [])
        .filter((target) => {
          const there = placeOf(target)
          return there !== undefined && there.place !== place && there.floor >= floor
        })
        .map((target) => `${file} -> ${target}`),
    )
    expect(upward).toEqual([])
  })

  it('have a first floor that imports nothing', () => {
    const first = FILES.filter((file) => placeOf(file)?.floor === 1)
    const beyond = first.flatMap((file) => {
      const { files, packages } = IMPORTS.get(file) ?? { files: [], packages: [] }
      return [...files.filter((target) => placeOf(target)?.place !== placeOf(file)?.place), ...packages].map(
        (target) => `${file} -> ${target}`,
      )
    })
    expect(first.length).toBeGreaterThan(0)
    expect(beyond).toEqual([])
  })
})

it('no files import each other in a circle, types counted', () => {
  const circles: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (file: string, path: readonly string[]): void => {
    state.set(file, 'open')
    for (const target of IMPORTS.get(file)?.files ?? []) {
      if (state.get(target) === 'open') circles.push([...path.slice(path.indexOf(target)), target].join(' -> '))
      else if (state.get(target) === undefined && IMPORTS.has(target)) visit(target, [...path, target])
    }
    state.set(file, 'done')
  }
  for (const file of FILES) if (state.get(file) === undefined) visit(file, [file])
  expect(circles).toEqual([])
})

it('no comment cites a page that is not here', () => {
  const missing = FILES.flatMap((file) => {
    const comments = textOf(file).match(/\/\*[\s\S]*?\*\/|\/\/.*$/gm) ?? []
    return comments.flatMap((comment) =>
      [...comment.matchAll(/([\w/.-]+\.md)\b|\b([A-Z]{4,}) section\b/g)]
        .map(([, page, name]) => page ?? `${name}.md`)
        .filter((page) => !existsSync(path.join(REPOSITORY, page)))
        .map((page) => `${file}: ${page}`),
    )
  })
  expect(missing).toEqual([])
})
