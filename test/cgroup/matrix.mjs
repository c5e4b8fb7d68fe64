/**
 * Builds the given files in memory cgroups of 256 MB, 400 MB, 1 GB and without one, with `--memory` and without, and
 * prints peak RSS beside each limit:
 *
 *     node test/cgroup/matrix.mjs FILE… [-- build flags…]
 *
 * Needs root, a memory cgroup controller, and `npm run build`. Exits with 1 when a build is killed or fails.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeGroup, runInGroup, whyNoGroups } from './memory-group.mjs'

const given = process.argv.slice(2)
const split = given.indexOf('--')
const files = split < 0 ? given : given.slice(0, split)
const flags = split < 0 ? [] : given.slice(split + 1)
if (files.length === 0) throw new Error('usage: node test/cgroup/matrix.mjs FILE… [-- build flags…]')
const obstacle = whyNoGroups()
if (obstacle !== undefined) throw new Error(obstacle)

const program = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shardloom-matrix-'))
const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`
/** A group above any machine: RSS is then measured in the same way. */
const LIMITS = [256e6, 400e6, 1e9, undefined]
let failed = 0

try {
  console.log('| file | cgroup | --memory | threads | seconds | peak RSS | spilled | pressure (75/90/95%) | end |')
  console.log('|---|---|---|---|---|---|---|---|---|')
  for (const file of files) {
    for (const limit of LIMITS) {
      for (const memory of limit === undefined ? [undefined, 256e6] : [undefined, limit]) {
        const group = makeGroup(limit ?? 2 ** 50)
        const index = join(folder, 'an.index')
        const asked = memory === undefined ? [] : ['--memory', String(memory)]
        try {
          const run = await runInGroup(group, [program, 'build', file, '--out', index, '--json', ...asked, ...flags])
          const kills = group.kills()
          const report = run.code === 0 ? JSON.parse(run.stdout) : undefined
          if (report === undefined || kills > 0) failed++
          const { elevated = 0, high = 0, critical = 0 } = report?.memory.pressure ?? {}
          const end =
            kills > 0 ? 'KILLED' : report ? `recall ${report.recallAt10}` : run.stderr.trim().split('\n').at(-1)
          const columns = [
            basename(file),
            limit === undefined ? 'none' : mb(limit),
            memory === undefined ? 'not given' : mb(memory),
            report?.threads ?? '',
            report?.seconds ?? '',
            mb(run.peakRssBytes),
            report === undefined ? '' : mb(report.spilledBytes),
            `${elevated}/${high}/${critical}`,
            end,
          ]
          console.log(`| ${columns.join(' | ')} |`)
        } finally {
          await group.remove()
          rmSync(index, { recursive: true, force: true })
        }
      }
    }
  }
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
