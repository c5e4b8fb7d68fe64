// The runs of cluster.mjs as one row for each contender: medians.
import { median } from '../search-curve.mjs'

/** The stages whose tasks other hosts run. */
export const STAGES_THAT_GO_OUT = ['route', 'shards', 'merge', 'upper levels', 'quantize', 'prove']

/** Processes of a build, by what they do. */
export const ROLES = ['coordinator', 'worker', 'redis']

export function summarise(runs) {
  const names = [...new Set(runs.map(({ name }) => name))]
  return names.map((name) => summaryOf(runs.filter((run) => run.name === name)))
}

function summaryOf(runs) {
  const [{ name, workers, threads }] = runs
  const middle = (of) => median(runs.map(of))
  const stageNames = runs[0].report.stages.map((stage) => stage.name)
  return {
    name,
    workers,
    threads,
    whole: middle((run) => run.whole),
    outSeconds: middle((run) => sum(outStages(run).map(({ seconds }) => seconds))),
    // Of the stages that go out, the part that threads of workers were in tasks.
    busyShare: middle(
      (run) =>
        sum((run.report.hosts ?? []).map(({ busySeconds }) => busySeconds)) /
        (sum(outStages(run).map(({ seconds }) => seconds)) * Math.max(1, workers) * threads),
    ),
    stages: stageNames.map((stage) => stageSummary(runs, stage)),
    cpu: {
      all: middle((run) => sum(run.processes.map(({ cpu }) => cpu))),
      ...byRole((role) => middle((run) => sum(processesOf(run, role).map(({ cpu }) => cpu)))),
      workerStart: middle((run) => sum(processesOf(run, 'worker').map(({ startCpu }) => startCpu))),
    },
    peakRssBytes: byRole((role) =>
      middle((run) => Math.max(0, ...processesOf(run, role).map(({ peakRssBytes }) => peakRssBytes))),
    ),
    readBytes: byRole((role) => middle((run) => sum(processesOf(run, role).map(({ readBytes }) => readBytes)))),
    writtenBytes: byRole((role) =>
      middle((run) => sum(processesOf(run, role).map(({ writtenBytes }) => writtenBytes))),
    ),
    spilledBytes: middle(({ report }) => report.spilledBytes),
    indexBytes: middle(({ report }) => report.diskBytes),
    redis: {
      inBytes: middle(({ redis }) => redis?.inBytes ?? 0),
      outBytes: middle(({ redis }) => redis?.outBytes ?? 0),
      commands: middle(({ redis }) => redis?.commands ?? 0),
      peakMemoryBytes: middle(({ redis }) => redis?.peakMemoryBytes ?? 0),
    },
    tasks: middle(({ report }) => sum((report.hosts ?? []).map(({ tasks }) => tasks))),
    lostTasks: middle(({ report }) => sum((report.hosts ?? []).map(({ lostTasks }) => lostTasks))),
    events: [...new Set(runs.flatMap(({ report }) => report.events.map(({ kind }) => kind)))],
  }
}

/** Seconds of one stage, and what the processes of each role used in it together. */
function stageSummary(runs, stage) {
  const middle = (of) => median(runs.map(of))
  const used = (what) =>
    byRole((role) => middle((run) => sum(processesOf(run, role).map(({ stages }) => stages[stage]?.[what] ?? 0))))
  return {
    name: stage,
    seconds: middle(({ report }) => report.stages.find(({ name }) => name === stage).seconds),
    cpu: used('cpu'),
    mainCpu: used('mainCpu'),
    readBytes: used('readBytes'),
    writtenBytes: used('writtenBytes'),
  }
}

const outStages = ({ report }) => report.stages.filter(({ name }) => STAGES_THAT_GO_OUT.includes(name))
const processesOf = ({ processes }, wanted) => processes.filter(({ role }) => role === wanted)
const byRole = (of) => Object.fromEntries(ROLES.map((role) => [role, of(role)]))
const sum = (numbers) => numbers.reduce((all, number) => all + number, 0)
