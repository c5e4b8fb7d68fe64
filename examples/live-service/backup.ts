/**
 * Copies an index while a process writes it. The copy has every change that was acknowledged before the program began.
 *
 *   npx tsx examples/live-service/backup.ts INDEX COPY
 *
 * What PARTS and CURRENT name is complete and never changes, but a writer deletes it once they name something else. So
 * they are read first and compared last. A round that they changed in is done again; what it copied is kept.
 */
import { constants } from 'node:fs'
import { access, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

const [from, to] = process.argv.slice(2)
if (to === undefined) throw new Error('usage: backup.ts INDEX COPY')

/** What says which files count. */
interface Names {
  readonly current: string
  readonly parts: string
}

/** Seals and merges that come faster than a round of copying are too many for a copy. */
const MOST_ROUNDS = 1000
let rounds = 0
for (let names = await readNames(); ; rounds++) {
  if (rounds > MOST_ROUNDS) throw new Error(`${from} changed in each of ${rounds} rounds: copy it when less is written`)
  const isWhole = await copyAll(names)
  const now = await readNames()
  if (isWhole && now.current === names.current && now.parts === names.parts) {
    // Last: a copy that was interrupted is no index.
    if (names.parts !== '') await writeFile(path.join(to, 'live/PARTS'), names.parts)
    if (names.current !== '') await writeFile(path.join(to, 'CURRENT'), names.current)
    break
  }
  names = now
}
console.log(`copied ${from} to ${to}${rounds === 0 ? '' : `, with ${rounds} rounds more for what changed meanwhile`}`)

async function readNames(): Promise<Names> {
  const names = { current: await textOf('CURRENT'), parts: await textOf('live/PARTS') }
  if (names.current === '' && names.parts === '') throw new Error(`${from} is no index`)
  return names
}

/** '' when there is no such file. */
async function textOf(name: string): Promise<string> {
  try {
    return await readFile(path.join(from, name), 'utf8')
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

/** Whether everything was there. */
async function copyAll({ current, parts }: Names): Promise<boolean> {
  try {
    if (current !== '') await copyFolder(current.split(' ')[0])
    if (parts !== '') await copyLive(parts)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function copyLive(text: string): Promise<void> {
  // A CRC, a space, JSON: docs/format.md.
  const parts = JSON.parse(text.slice(9)) as { parts: { name: string }[]; dead: { name: string }; firstLog: number }
  for (const { name } of parts.parts) await copyFolder(`live/${name}`)
  await copyOnce(`live/${parts.dead.name}`)
  // Listed before the first is copied: a log is complete when the next one is there, and only the last one grows.
  const logs = (await readdir(path.join(from, 'live')))
    .filter((name) => /^log-\d+\.log$/.test(name) && Number(name.slice(4, -4)) >= parts.firstLog)
    .sort()
  for (const name of await readdir(path.join(to, 'live'))) {
    if (/^log-/.test(name)) await rm(path.join(to, 'live', name))
  }
  for (const name of logs) await copyOnce(`live/${name}`)
}

async function copyFolder(folder: string): Promise<void> {
  for (const entry of await readdir(path.join(from, folder), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await copyOnce(path.relative(from, path.join(entry.parentPath, entry.name)))
  }
}

/** A file that is there was copied whole, in a round before. */
async function copyOnce(name: string): Promise<void> {
  const target = path.join(to, name)
  try {
    await access(target)
  } catch (error) {
    if (!isMissing(error)) throw error
    await mkdir(path.dirname(target), { recursive: true })
    await copyFile(path.join(from, name), `${target}.tmp`, constants.COPYFILE_FICLONE)
    await rename(`${target}.tmp`, target)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
