/** Spans of a whole build, as an application that has registered OpenTelemetry gets them. */
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildIndex } from '../../dist/src/index.js'
import { build, makeFolder, randomRows, records } from '../fixtures/builds.js'

const rows = randomRows(300, 8, 1)
const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

const finished = () => exporter.getFinishedSpans()
const buildSpan = () => finished().filter(({ name }) => name === 'shardloom.build')

describe('with @opentelemetry/api registered', () => {
  beforeEach(() => {
    exporter.reset()
    trace.setGlobalTracerProvider(provider)
  })
  afterEach(() => trace.disable())

  it('gives a span for each stage, under one for the build', async () => {
    const { report } = await build(records(rows), { quantization: 'sq8' })
    const [whole, ...others] = buildSpan()
    expect(others).toEqual([])
    const stages = finished().filter((span) => span !== whole)
    expect(stages.map(({ name }) => name)).toEqual(
      report.stages.map(({ name }) => `shardloom.${name.replace(' ', '_')}`),
    )
    for (const span of stages) expect(span.parentSpanContext?.spanId).toBe(whole.spanContext().spanId)
    expect(whole.attributes).toMatchObject({
      'shardloom.count': 300,
      'shardloom.dimensions': 8,
      'shardloom.metric': 'l2',
      'shardloom.threads': report.threads,
      'shardloom.spilled_bytes': report.spilledBytes,
      'shardloom.recall_at_10': report.recallAt10,
    })
    expect(whole.status.code).toBe(SpanStatusCode.UNSET)
  })

  it("puts the build under the caller's own span", async () => {
    const caller = trace.getTracer('caller').startSpan('nightly')
    const active = trace.setSpan(ROOT_CONTEXT, caller)
    context.setGlobalContextManager({
      active: () => active,
      with: (_, body, self, ...args) => body.apply(self as never, args),
      bind: (_, target) => target,
      enable: () => context as never,
      disable: () => context as never,
    })
    try {
      await build(records(rows))
    } finally {
      context.disable()
    }
    expect(buildSpan()[0].parentSpanContext?.spanId).toBe(caller.spanContext().spanId)
  })

  it('records the error, on the stage and on the build, and ends both', async () => {
    const bad = [{ vector: [1, 2] }, { vector: [1, 2, 3] }]
    await expect(buildIndex(bad, { path: `${makeFolder()}/x` })).rejects.toThrow('has 3 dimensions')
    expect(finished().map(({ name }) => name)).toEqual(['shardloom.plan', 'shardloom.ingest', 'shardloom.build'])
    for (const span of finished().slice(1)) {
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      expect(span.attributes['error.type']).toBe('SHARDLOOM_DIMENSION_MISMATCH')
      expect(span.events[0].name).toBe('exception')
    }
  })

  it('ends the span of a build that is refused', async () => {
    const refused = buildIndex(records(rows), { path: `${makeFolder()}/x`, memory: '1MB' })
    await expect(refused).rejects.toThrow('are available')
    expect(buildSpan()).toHaveLength(1)
    expect(buildSpan()[0].attributes['error.type']).toBe('SHARDLOOM_INSUFFICIENT_MEMORY')
  })
})

describe('progress events', () => {
  it('come from every stage', async () => {
    const told = new Set<string>()
    const { report } = await build(records(rows), { quantization: 'sq8', onProgress: ({ stage }) => told.add(stage) })
    expect([...told]).toEqual(report.stages.map(({ name }) => name))
  })
})
