// One `shardloom build`, and what each of some processes used in each of its stages.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { processUsage, usageSince } from './process-usage.mjs'

export const MAIN = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))
const REPORT_USAGE = new URL('../report-usage.mjs', import.meta.url).href

/** The command line says each stage when it ends. */
const STAGE_LINE = /stage ([a-z ]+): [\d.]+ s$/

/** Arguments of `node` for a CPU profile in `folder`, of the process and of each of its threads; none without it. */
export function profileArgs(folder) {
  return folder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', folder]
}

/**
 * @param others [{ role, pid }]: processes that work for this build.
 * @returns { whole: seconds of the process, report: the BuildReport, processes: [{ role, cpu, mainCpu, readBytes,
 *   writtenBytes, peakRssBytes, stages: { name: the same of one stage } }] }; the first one is the build's own, 'coordinator'.
 */
export async function buildInStages(base, out, flags, { others = [], profile } = {}) {
  const usageFile = `${out}.usage`
  const start = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...profileArgs(profile),
      '--import',
      REPORT_USAGE,
      MAIN,
      'build',
      base,
      '--out',
      out,
      ...flagWords(flags),
      '--json',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, USAGE_FILE: usageFile } },
  )
  const processes = [{ role: 'coordinator', pid: child.pid }, ...others]
  const begun = others.map(({ pid }) => processUsage(pid))
  const readings = []
  const said = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    const [, stage] = STAGE_LINE.exec(line) ?? []
    // The last stage ends when the process does, so a reading of its own process may come too late.
    if (stage !== undefined) readings.push({ stage, usages: processes.map(({ pid }) => usageOrUndefined(pid)) })
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const whole = (performance.now() - start) / 1000
  if (code !== 0) throw new Error(`shardloom build ended with exit code ${code}:\n${said.join('\n')}`)
  const ended = [JSON.parse(readFileSync(usageFile, 'utf8')), ...others.map(({ pid }) => processUsage(pid))]
  rmSync(usageFile)
  const first = [NOTHING, ...begun]
  return {
    whole,
    report: JSON.parse(text),
    processes: processes.map(({ role }, i) => {
      const own = readings.map(({ stage, usages }) => ({ stage, usage: usages[i] ?? ended[i] }))
      return {
        role,
        ...usageSince(first[i], ended[i]),
        startCpu: first[i].cpu,
        stages: byStage(first[i], own, ended[i]),
      }
    }),
  }
}

const NOTHING = { cpu: 0, mainCpu: 0, readBytes: 0, writtenBytes: 0, peakRssBytes: 0 }

function usageOrUndefined(pid) {
  try {
    return processUsage(pid)
  } catch {
    return undefined
  }
}

/** The flags as words of the command line: `false` as --no-NAME; those undefined are left out. */
export function flagWords(flags) {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  return given.flatMap(([name, value]) => (value === false ? [`--no-${name}`] : [`--${name}`, String(value)]))
}

/** Differences of readings at the ends of stages; what follows the last one is 'end'. */
export function byStage(first, readings, last) {
  const stages = {}
  let earlier = first
  for (const { stage, usage } of [...readings, { stage: 'end', usage: last }]) {
    stages[stage] = usageSince(earlier, usage)
    earlier = usage
  }
  return stages
}
