import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import { countText, tookText } from './number-text.js'
import { overallRate } from './stage-spans.js'

/** One figure of two builds. */
export interface ComparedFigure {
  readonly name: string
  readonly now: string
  readonly before: string
  /** The difference, and its share of the value before. */
  readonly difference: string
  /** 'changed': neither good nor bad. 'same': equal, or within the noise between two builds of the same data. */
  readonly verdict: 'better' | 'worse' | 'changed' | 'same'
}

export interface ComparedGroup {
  readonly title: string
  readonly figures: readonly ComparedFigure[]
}

export interface ComparedOption {
  readonly name: string
  readonly now: string
  readonly before: string
}

export interface Comparison {
  readonly groups: readonly ComparedGroup[]
  /** Options that differ, which may be the reason for differences of the figures. */
  readonly options: readonly ComparedOption[]
}

/** Two builds of the same data differ by up to this share in time and memory. */
export const NOISE_SHARE = 0.1
/** Shorter differences of times are noise, whatever their share. */
const NOISE_SECONDS = 0.1
/** Standard error of the proof's recall, which is measured with 200 vectors. */
export const NOISE_RECALL = 0.006

interface Measure {
  readonly better: 'lower' | 'higher' | 'neither'
  readonly textOf: (value: number) => string
  /** Whether a difference is within the noise. */
  readonly isNoise?: (difference: number, before: number) => boolean
}

const ofShare = (difference: number, before: number): boolean => Math.abs(difference) <= NOISE_SHARE * Math.abs(before)
const SECONDS: Measure = {
  better: 'lower',
  textOf: tookText,
  isNoise: (difference, before) => Math.abs(difference) < NOISE_SECONDS || ofShare(difference, before),
}
const BYTES: Measure = { better: 'lower', textOf: formatByteSize, isNoise: ofShare }
const PROBLEM: Measure = { better: 'lower', textOf: countText }
const COUNT: Measure = { better: 'neither', textOf: countText }
const SPEED: Measure = { better: 'higher', textOf: (value) => `${countText(value)}/s`, isNoise: ofShare }
const RECALL: Measure = {
  better: 'higher',
  textOf: (value) => value.toFixed(4),
  isNoise: (difference) => Math.abs(difference) <= NOISE_RECALL,
}
const DEGREE: Measure = {
  better: 'neither',
  textOf: (value) => value.toFixed(2),
  isNoise: ofShare,
}

/** Compares the figures of two builds, usually a build and the one before it. */
export function compareBuilds(now: Manifest, before: Manifest): Comparison {
  const [a, b] = [now.report, before.report]
  const levels = (manifest: Manifest): number => manifest.levels + 1
  const pressed = ({ report }: Manifest): number | undefined =>
    report.memory && report.memory.pressure.elevated + report.memory.pressure.high + report.memory.pressure.critical
  return {
    groups: [
      {
        title: 'Result',
        figures: [
          figure('vectors', a.count, b.count, COUNT),
          figure('recall@10', a.recallAt10, b.recallAt10, RECALL),
          figure('average links per vector', a.averageDegree, b.averageDegree, DEGREE),
          figure('levels', levels(now), levels(before), COUNT),
          figure('bytes on disk', a.diskBytes, b.diskBytes, BYTES),
        ],
      },
      {
        title: 'Problems',
        figures: [
          figure('vectors skipped', a.skipped, b.skipped, PROBLEM),
          figure('unreachable vectors that were linked', a.repaired, b.repaired, PROBLEM),
          figure('events', a.events.length, b.events.length, PROBLEM),
        ],
      },
      {
        title: 'Memory',
        figures: [
          figure('peak memory of the process', a.peakRssBytes, b.peakRssBytes, BYTES),
          figure('spilled to temporary files', a.spilledBytes, b.spilledBytes, BYTES),
          ...optional('times under pressure', pressed(now), pressed(before), PROBLEM),
        ],
      },
      {
        title: 'Time',
        figures: [
          figure('total time', a.seconds, b.seconds, SECONDS),
          figure('vectors per second', overallRate(a), overallRate(b), SPEED),
          ...stageNames(now, before).flatMap((name) =>
            optional(`stage ${name}`, secondsOf(now, name), secondsOf(before, name), SECONDS),
          ),
        ],
      },
    ],
    options: optionsOf(now).flatMap(([name, value], i): ComparedOption[] => {
      const other = optionsOf(before)[i][1]
      return value === other ? [] : [{ name, now: value, before: other }]
    }),
  }
}

/** In the order in which they ran; stages of the other build only come last. */
function stageNames(now: Manifest, before: Manifest): string[] {
  return [...new Set([...now.report.stages, ...before.report.stages].map(({ name }) => name))]
}

function secondsOf({ report }: Manifest, stage: string): number | undefined {
  return report.stages.find(({ name }) => name === stage)?.seconds
}

/** What decides how an index is built: the same names in the same order for every manifest. */
function optionsOf(manifest: Manifest): (readonly [string, string])[] {
  const { report, quantization } = manifest
  return [
    ['metric', report.metric],
    ['dimensions', String(report.dimensions)],
    ['quantization', quantization],
    ['m', String(report.m)],
    ['engine', report.engine],
    ['quality', report.quality],
    ['seed', String(report.seed)],
    ['threads', String(report.threads)],
    ['memory budget', formatByteSize(report.memoryBytes)],
    ['shards', countText(report.shards)],
  ]
}

/** Empty when one of the two builds has no such figure. */
function optional(
  name: string,
  now: number | undefined,
  before: number | undefined,
  measure: Measure,
): ComparedFigure[] {
  return now === undefined || before === undefined ? [] : [figure(name, now, before, measure)]
}

function figure(name: string, now: number, before: number, { better, textOf, isNoise }: Measure): ComparedFigure {
  const difference = now - before
  return {
    name,
    now: textOf(now),
    before: textOf(before),
    difference: differenceText(difference, before, textOf),
    verdict: difference === 0 || isNoise?.(difference, before) === true ? 'same' : verdictOf(difference, better),
  }
}

function verdictOf(difference: number, better: Measure['better']): ComparedFigure['verdict'] {
  if (better === 'neither') return 'changed'
  return difference < 0 === (better === 'lower') ? 'better' : 'worse'
}

function differenceText(difference: number, before: number, textOf: (value: number) => string): string {
  if (difference === 0) return '–'
  const sign = difference < 0 ? '−' : '+'
  const share = (100 * Math.abs(difference)) / Math.abs(before)
  const shareText = before === 0 ? '' : ` (${percentText(share, sign)})`
  return `${sign}${textOf(Math.abs(difference))}${shareText}`
}

function percentText(percent: number, sign: string): string {
  if (percent >= 9.95) return `${sign}${countText(percent)}%`
  return percent < 0.05 ? 'under 0.1%' : `${sign}${percent.toFixed(1)}%`
}
