import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseExposition } from '../fixtures/parse-exposition.js'
import { onlyJson, randomRows, shardloom, start, writeFvecs } from './shardloom.js'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-metrics-'))
  mkdirSync(path.join(folder, 'prom'))
  await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(300, 8))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const args = (out: string, ...more: string[]): string[] => ['build', 'rows.fvecs', '--out', out, '--json', ...more]
const build = (...given: Parameters<typeof args>) => shardloom(args(...given), { cwd: folder })
const valueOf = (name: string, file: string): unknown =>
  parseExposition(readFileSync(path.join(folder, file), 'utf8')).get(`shardloom_build_${name}`)?.samples[0]

describe('--metrics-file', () => {
  it('says what the report says, and leaves no other file', async () => {
    const { stdout } = await build('a.index', '--metrics-file', 'prom/a.prom')
    const report = onlyJson(stdout)
    const labels = { index: path.join(folder, 'a.index') }
    expect(valueOf('success', 'prom/a.prom')).toEqual({ labels, value: 1 })
    expect(valueOf('duration_seconds', 'prom/a.prom')).toEqual({ labels, value: report['seconds'] })
    expect(valueOf('recall_ratio', 'prom/a.prom')).toEqual({ labels, value: report['recallAt10'] })
    expect(readdirSync(path.join(folder, 'prom'))).toEqual(['a.prom'])
  })

  it('says that a build failed, with its code, and when one last succeeded', async () => {
    await build('b.index', '--metrics-file', 'b.prom')
    const before = valueOf('last_success_timestamp_seconds', 'b.prom')
    expect((await build('b.index', '--metrics-file', 'b.prom', '--dimensions', '9')).exitCode).toBe(2)
    const labels = { index: path.join(folder, 'b.index'), code: 'SHARDLOOM_DIMENSION_MISMATCH' }
    expect(valueOf('success', 'b.prom')).toEqual({ labels, value: 0 })
    expect(valueOf('last_success_timestamp_seconds', 'b.prom')).toEqual(before)
  })

  it('says that a build was interrupted', async () => {
    const running = start(['build', '-', '--out', 'c.index', '--metrics-file', 'c.prom'], {}, folder)
    await running.saidOnStderr('stage plan')
    running.child.kill('SIGTERM')
    expect((await running.ended).exitCode).toBe(130)
    expect(valueOf('success', 'c.prom')).toMatchObject({ labels: { code: 'SHARDLOOM_ABORTED' }, value: 0 })
  })

  it.each([
    ['absent/x.prom', 'absent/x.prom: '],
    ['metrics.txt', 'a file of metrics must end with .prom'],
    ['folder.prom', 'it exists and is not a file of metrics'],
  ])('refuses %s before it builds', async (file, message) => {
    mkdirSync(path.join(folder, 'folder.prom'), { recursive: true })
    const { exitCode, stderr } = await build('never.index', '--metrics-file', file)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
    expect(existsSync(path.join(folder, 'never.index'))).toBe(false)
  })

  it('may come from a configuration file, relative to its folder', async () => {
    writeFileSync(path.join(folder, 'nightly.json'), JSON.stringify({ metricsFile: 'd.prom' }))
    await build('d.index', '--config', 'nightly.json')
    expect(valueOf('success', 'd.prom')).toMatchObject({ value: 1 })
  })
})
