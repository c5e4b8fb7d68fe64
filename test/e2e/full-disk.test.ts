/** Whole builds on a disk that gets full: a small tmpfs, which only root can mount. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DiskFullError, buildIndex, type BuildOptions, type VectorRecord } from '../../dist/src/index.js'
import { build, contentsOf, makeFolder, randomRows, records, segmentsOf } from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const rows = randomRows(4000, 32, 1)
const KIB = 1024
const PLENTY_BYTES = 64 * KIB * KIB

function* source(startAt: number): Generator<VectorRecord> {
  let row = 0
  for (const record of records(rows)) if (row++ >= startAt) yield record
}

/** Runs `body` with a folder on a disk of its own; answers whether it could. */
async function onSmallDisk(body: (disk: string, resize: (bytes: number) => void) => Promise<void>): Promise<boolean> {
  const disk = join(makeFolder(), 'disk')
  mkdirSync(disk)
  const size = (bytes: number): string => `size=${Math.ceil(bytes / KIB)}k`
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', size(PLENTY_BYTES), 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return false
  }
  try {
    await body(disk, (bytes) => {
      execFileSync('mount', ['-o', `remount,${size(bytes)}`, disk], { stdio: 'ignore' })
    })
  } finally {
    execFileSync('umount', [disk])
  }
  return true
}

function expectFull(failure: unknown, disk: string): void {
  expect(failure).toBeInstanceOf(DiskFullError)
  const { details, exitCode } = failure as DiskFullError
  expect(exitCode).toBe(3)
  expect(details.path.startsWith(disk)).toBe(true)
  expect(details.neededBytes).toBeGreaterThan(0)
  expect(details.freeBytes).toBeGreaterThanOrEqual(0)
}

const failureOf = async (options: BuildOptions, resumable: boolean): Promise<unknown> =>
  buildIndex(resumable ? source : records(rows), options).then(
    () => undefined,
    (error: unknown) => error,
  )

describe.runIf(WHOLE)('a build whose disk gets full', () => {
  it.for<[string, boolean]>([
    ['is resumed', true],
    ['is begun again', false],
  ])(
    'is DiskFullError at whatever size, leaves the live generation as it was, and ends right when it %s with more room',
    async ([, resumable], { skip }) => {
      const options = { queueBytes: 0, threads: 1, keepGenerations: 0 }
      const whole = segmentsOf(await build(records(rows), options))
      const mounted = await onSmallDisk(async (disk, resize) => {
        let full = 0
        for (let part = 1; part <= 8; part++) {
          const path = join(disk, 'an.index')
          const { report } = await build(records(randomRows(50, 4, 2)), { path })
          const before = contentsOf(path)
          // Up to what this build takes, temporary files and all: about 4 MB.
          resize(part * 512 * KIB)
          const failure = await failureOf({ ...options, path }, resumable)
          if (failure !== undefined) {
            full++
            expectFull(failure, disk)
            const after = contentsOf(path)
            for (const [file, hash] of Object.entries(before)) expect(after[file], file).toBe(hash)
            const kept = existsSync(join(path, 'build', 'journal'))
            if (!kept) expect(after).toEqual(before)
            if (!resumable) expect(kept).toBe(false)
            expect(existsSync(join(path, 'build', 'LOCK'))).toBe(false)
            resize(PLENTY_BYTES)
            const again = await build(resumable ? source : records(rows), { ...options, path })
            expect(segmentsOf(again)).toEqual(whole)
            expect(readdirSync(path).sort()).toEqual(['CURRENT', again.report.generation])
            expect(again.report.resumed !== undefined).toBe(kept)
          } else {
            expect(readdirSync(path)).toHaveLength(2)
            expect(readdirSync(path)).not.toContain(report.generation)
          }
          resize(PLENTY_BYTES)
          execFileSync('rm', ['-r', path])
        }
        expect(full).toBeGreaterThan(2)
        expect(full).toBeLessThan(8)
      })
      if (!mounted) skip('mounting a tmpfs needs root')
    },
  )

  it('says so of the disk of tempDir, and leaves nothing on it', async ({ skip }) => {
    const mounted = await onSmallDisk(async (disk, resize) => {
      const path = join(makeFolder(), 'an.index')
      resize(256 * KIB)
      const tempDir = join(disk, 'temp')
      expectFull(await failureOf({ path, tempDir, queueBytes: 0 }, false), disk)
      expect(existsSync(path)).toBe(false)
      expect(readdirSync(tempDir)).toEqual([])
    })
    if (!mounted) skip('mounting a tmpfs needs root')
  })
})
