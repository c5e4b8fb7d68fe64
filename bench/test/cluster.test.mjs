// What the figures of cluster.mjs, cluster-model.mjs and replicas.mjs are computed by: `node --test test/cluster.test.mjs`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contendersOf } from '../cluster.mjs'
import { comparedLeaders, costsOf, gridReads, modelBuild } from '../cluster/model.mjs'
import { duration } from '../cluster/model-tables.mjs'
import { bytesOf, cpuOf, peakRssOf, processUsage } from '../cluster/process-usage.mjs'
import { infoFields, redisWork } from '../cluster/redis.mjs'
import { byStage, flagWords } from '../cluster/staged-build.mjs'
import { summarise } from '../cluster/summarise.mjs'
import { summarise as summariseReplicas } from '../replicas.mjs'

test('the CPU of a process is found behind a name with blanks and brackets', () => {
  const fields = ['S', ...Array.from({ length: 10 }, () => '9'), '150', '25', '7']
  assert.equal(cpuOf(`42 (a) b (c) ${fields.join(' ')}`), 1.75)
})

test('bytes of calls and peak memory are read from /proc', () => {
  assert.deepEqual(bytesOf('rchar: 12\nwchar: 34\nsyscr: 1\nread_bytes: 5\n'), { readBytes: 12, writtenBytes: 34 })
  assert.equal(peakRssOf('VmPeak:\t9 kB\nVmHWM:\t  100 kB\nVmRSS:\t 7 kB\n'), 102_400)
})

test('CPU of this process grows as process.cpuUsage() says', { skip: process.platform !== 'linux' }, () => {
  const { user, system } = process.cpuUsage()
  const { cpu, peakRssBytes } = processUsage(process.pid)
  assert.ok(Math.abs(cpu - (user + system) / 1e6) < 0.2)
  assert.ok(peakRssBytes > 1e7)
})

test('what Redis did is the difference of two answers', () => {
  const before = infoFields('# Stats\r\ntotal_net_input_bytes:100\r\ntotal_net_output_bytes:10\r\n')
  assert.equal(before.total_net_input_bytes, '100')
  const counters = { total_net_output_bytes: '30', total_commands_processed: '9', used_memory_peak: '77' }
  const after = { total_net_input_bytes: '150', ...counters }
  const work = redisWork({ ...before, total_commands_processed: '4' }, after)
  assert.deepEqual(work, { inBytes: 50, outBytes: 20, commands: 5, peakMemoryBytes: 77 })
})

test('flags: false is --no-NAME, undefined is left out', () => {
  assert.deepEqual(flagWords({ m: 8, resume: false, memory: undefined }), ['--m', '8', '--no-resume'])
})

const usage = (cpu) => ({ cpu, mainCpu: cpu, readBytes: 10 * cpu, writtenBytes: 0, peakRssBytes: 1 })

test('stages have what was used between their ends, and the end has the rest', () => {
  const readings = [
    { stage: 'ingest', usage: usage(3) },
    { stage: 'route', usage: usage(7) },
  ]
  const stages = byStage(usage(1), readings, usage(8))
  assert.deepEqual(
    Object.entries(stages).map(([name, { cpu, readBytes }]) => [name, cpu, readBytes]),
    [
      ['ingest', 2, 20],
      ['route', 4, 40],
      ['end', 1, 10],
    ],
  )
})

test('local builds come first: with the threads of one worker, and of all workers together', () => {
  assert.deepEqual(
    contendersOf([1, 2], 1).map(({ name }) => name),
    ['local, 1 thread', 'local, 2 threads', '1 worker of 1 thread', '2 workers of 1 thread'],
  )
})

/** A run whose stages took these seconds, and whose two workers took one CPU second each in every stage. */
function runOf(seconds) {
  const stages = Object.entries(seconds).map(([name, value]) => ({ name, seconds: value }))
  const used = Object.fromEntries(stages.map(({ name }) => [name, usage(1)]))
  const worker = { role: 'worker', ...usage(stages.length), startCpu: 0.5, stages: used }
  const report = {
    stages,
    spilledBytes: 0,
    diskBytes: 0,
    events: [],
    hosts: [{ tasks: 3, lostTasks: 0, busySeconds: 4 }],
  }
  const redis = { inBytes: 1, outBytes: 2, commands: 3, peakMemoryBytes: 4 }
  return { name: 'two', workers: 2, threads: 1, whole: 9, report, processes: [worker, worker], redis }
}

test('a summary has medians, processes of a role together, and only the stages that go out in their sum', () => {
  const runs = [runOf({ ingest: 5, route: 1, merge: 2 }), runOf({ ingest: 5, route: 3, merge: 2 })]
  const [summary] = summarise([...runs, runOf({ ingest: 5, route: 2, merge: 2 })])
  assert.equal(summary.outSeconds, 4)
  assert.equal(summary.busyShare, 0.5)
  assert.deepEqual(
    summary.stages.map(({ name, seconds, cpu }) => [name, seconds, cpu.worker]),
    [
      ['ingest', 5, 2],
      ['route', 2, 2],
      ['merge', 2, 2],
    ],
  )
  assert.equal(summary.cpu.workerStart, 1)
  assert.equal(summary.cpu.all, 6)
})

test('many leaders are compared in two levels', () => {
  assert.equal(comparedLeaders(1000), 1000)
  assert.equal(comparedLeaders(10_000), 100 + 4 * 100)
})

/** A result of cluster.mjs: in each stage `fixed` and `slope` a vector, for CPU of both sides and for bytes. */
function resultOf(count, { fixed, slope }) {
  const value = fixed + slope * count
  const both = { coordinator: value, worker: 2 * value }
  const stages = ['ingest', 'route', 'shards', 'merge'].map((name) => {
    return { name, cpu: both, mainCpu: both, readBytes: both, writtenBytes: both }
  })
  const redis = { inBytes: 100, outBytes: 100, commands: 50 }
  return { data: { count, dims: 128, metric: 'l2' }, summary: [{ workers: 1, stages, redis, tasks: 10 }] }
}

test('two results tell what a build costs once from what each vector costs', () => {
  const both = { fixed: 3, slope: 0.5 }
  const { stages, fixed, redisBytesPerTask } = costsOf([resultOf(4000, both), resultOf(1000, both)])
  assert.equal(stages.route.coordinatorCpu, 0.5)
  assert.equal(stages.route.hostBytes, 2)
  assert.ok(Math.abs(fixed.route.coordinatorCpu - 3) < 1e-9)
  assert.equal(redisBytesPerTask, 20)
})

test('merge reads nearly the whole grid for each segment of few vectors, and single rows of very many', () => {
  const few = gridReads(400_000, 128, 256)
  // 1.66 GB were measured.
  assert.ok(Math.abs(few.bytes * 400_000 - 1.66e9) < 0.1e9)
  assert.ok(few.reads < 0.01)
  const many = gridReads(1e9, 128, 256)
  assert.ok(many.reads > 9)
  assert.ok(many.pageBytes > 40_000)
})

const GEOMETRY = { shardCount: 200, overlap: 3, shardMembers: 12_288 }
const PLAN = { count: 1e6, dimensions: 128, m: 16, gridDims: 128, hostBytes: 1e9, taskBytes: 1e8, geometry: GEOMETRY }
const FAST = { memoryBytes: 1e12, networkBytes: 1e15, storageBytes: 1e15, storageReads: 1e15, readSeconds: 0 }

test('hosts shorten what they do until the coordinator is the limit', () => {
  const costs = costsOf([resultOf(1e6, { fixed: 0, slope: 1e-5 })])
  const on = (count) => modelBuild(PLAN, costs, { count, threads: 8, ...FAST }, { comparisonsPerSecond: Infinity })
  // A host's 8 threads are faster than the coordinator's one, for twice the work.
  assert.equal(on(1).limit, "the coordinator's main thread")
  assert.equal(on(1).seconds, on(64).seconds)
  assert.equal(on(1).seconds.toFixed(3), '40.000')
})

test('a slow shared folder is said to be the limit', () => {
  const costs = costsOf([resultOf(1e6, { fixed: 0, slope: 1e-5 })])
  const hosts = { ...FAST, count: 4, threads: 8, storageBytes: 0.1 }
  assert.equal(modelBuild(PLAN, costs, hosts, { comparisonsPerSecond: Infinity }).limit, 'bytes of the shared folder')
})

test('durations are in the unit that suits them', () => {
  assert.deepEqual([12, 600, 7200].map(duration), ['12 s', '10 min', '2.0 h'])
})

test('queries of replicas are summed over the time of the slowest', () => {
  const replica = (queries, seconds) => ({ queries, seconds, cpuSeconds: 1, peakRssBytes: 5, recall: undefined })
  const [one, two] = summariseReplicas([
    { processes: 1, replicas: [replica(1000, 1)] },
    { processes: 2, replicas: [replica(900, 1), replica(900, 1.25)] },
  ])
  assert.equal(one.queriesPerSecond, 1000)
  assert.equal(two.queriesPerSecond, 1440)
  assert.equal(two.timesFirst, 1.44)
})
