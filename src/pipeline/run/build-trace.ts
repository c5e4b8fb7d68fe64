/**
 * Spans of OpenTelemetry: one for the build, and one for each stage under it. They require that the caller has
 * registered `@opentelemetry/api`; otherwise nothing is loaded and nothing is done.
 */
import type * as Api from '@opentelemetry/api'
import { ShardloomError } from '../../errors.js'
import type { BuildReport, StageName } from '../../api/report.js'
import { loadPeer } from '../../runtime/load-peer.js'
import { isError } from '../../runtime/realms.js'

export interface StageSpan {
  end(attributes: Api.Attributes, error?: unknown): void
}

export interface BuildTrace {
  stage(name: StageName): StageSpan
  /** Adds the results of the build to its span. */
  built(report: BuildReport): void
  /** Ends the build's span; `failure` is what the build ends with. */
  end(failure: unknown): void
}

export const NO_TRACE: BuildTrace = {
  stage: () => ({ end: () => undefined }),
  built: () => undefined,
  end: () => undefined,
}

/** The key where every copy of version 1 of the API keeps its registrations. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')

/** Calls `warn` when the API is registered and cannot be loaded. The build does not fail for that. */
export async function openBuildTrace(attributes: Api.Attributes, warn: (message: string) => void): Promise<BuildTrace> {
  if (!(REGISTERED in globalThis)) return NO_TRACE
  const api = await loadApi(warn)
  if (api === undefined) return NO_TRACE
  const { trace, context, SpanStatusCode } = api
  const tracer = trace.getTracer('shardloom')
  const build = tracer.startSpan('shardloom.build', { attributes })
  const inBuild = trace.setSpan(context.active(), build)
  const end = (span: Api.Span, error: unknown): void => {
    if (error !== undefined) {
      const thrown = isError(error) ? error : new Error('what was thrown is no Error')
      span.recordException(thrown)
      span.setAttribute('error.type', error instanceof ShardloomError ? error.code : 'unexpected')
      span.setStatus({ code: SpanStatusCode.ERROR, message: thrown.message })
    }
    span.end()
  }
  return {
    stage: (name) => {
      const span = tracer.startSpan(`shardloom.${name.replaceAll(' ', '_')}`, {}, inBuild)
      return {
        end: (stageAttributes, error) => {
          span.setAttributes(stageAttributes)
          end(span, error)
        },
      }
    },
    built: ({ count, dimensions, threads, quality, spilledBytes, peakRssBytes, recallAt10, generation }) => {
      build.setAttributes({
        'shardloom.count': count,
        'shardloom.dimensions': dimensions,
        'shardloom.threads': threads,
        'shardloom.quality': quality,
        'shardloom.spilled_bytes': spilledBytes,
        'shardloom.peak_memory_bytes': peakRssBytes,
        'shardloom.recall_at_10': recallAt10,
        'shardloom.generation': generation,
      })
    },
    end: (failure) => end(build, failure),
  }
}

/**
 * Undefined when the API cannot be loaded from here. The caller then has a separate copy, and the build continues
 * without spans.
 */
async function loadApi(warn: (message: string) => void): Promise<typeof Api | undefined> {
  try {
    return (await loadPeer('@opentelemetry/api')) as typeof Api
  } catch (error) {
    warn(`no spans: @opentelemetry/api is registered and cannot be loaded from here: ${String(error)}`)
    return undefined
  }
}
