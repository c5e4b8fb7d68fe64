/** Metrics in the text format of Prometheus. */
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Counts requests, and how long they took, by route and status. */
export class RequestMetrics {
  readonly #seen = new Map<string, { readonly under: number[]; seconds: number; count: number }>()

  readonly measure: MiddlewareHandler = async (c, next) => {
    const began = performance.now()
    await next()
    // The pattern of the route, not the address: an id in a label would make a series of its own.
    this.#add(`route="${routePath(c, -1)}",status="${c.res.status}"`, (performance.now() - began) / 1000)
  }

  #add(labels: string, seconds: number): void {
    const seen = this.#seen.get(labels) ?? { under: BUCKETS.map(() => 0), seconds: 0, count: 0 }
    this.#seen.set(labels, seen)
    for (const [at, limit] of BUCKETS.entries()) if (seconds <= limit) seen.under[at]++
    seen.seconds += seconds
    seen.count++
  }

  text(): string {
    const lines = [...this.#seen].flatMap(([labels, { under, seconds, count }]) => [
      ...BUCKETS.map((limit, at) => `request_seconds_bucket{${labels},le="${limit}"} ${under[at]}`),
      `request_seconds_bucket{${labels},le="+Inf"} ${count}`,
      `request_seconds_sum{${labels}} ${seconds}`,
      `request_seconds_count{${labels}} ${count}`,
    ])
    const head = ['# HELP request_seconds Time from a request to its answer.', '# TYPE request_seconds histogram']
    return lines.length === 0 ? '' : `${[...head, ...lines].join('\n')}\n`
  }
}

export function metricText(name: string, type: 'gauge' | 'counter', help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`
}
