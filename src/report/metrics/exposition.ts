export interface Sample {
  /** Values may be any text; names are letters, digits and underscores. */
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface Gauge {
  readonly name: string
  readonly help: string
  /** A counter only grows while a process lives; its name ends with _total. Default: gauge. */
  readonly type?: 'gauge' | 'counter'
  readonly samples: readonly Sample[]
}

/**
 * Gauges and counters in the text format of Prometheus. Those without samples are left out. `labels` are put on every sample,
 * before its own.
 */
export function exposition(gauges: readonly Gauge[], labels: Readonly<Record<string, string>> = {}): string {
  return gauges
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, type = 'gauge', samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => `${name}${labelsText({ ...labels, ...sample.labels })} ${valueText(sample.value)}`),
    ])
    .map((line) => `${line}\n`)
    .join('')
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
