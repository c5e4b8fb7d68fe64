import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { createProgram } from '../../src/cli/program.js'
import { Terminal } from '../../src/cli/screen/terminal.js'
import { EXIT_CODES } from '../../src/errors.js'
import { kubernetesProblems, type KubernetesDocument } from '../fixtures/check-kubernetes.js'
import { REPOSITORY } from './run.js'

const FOLDER = path.join(REPOSITORY, 'examples/cluster')

/** Of a document, as far as these tests read it. */
interface Document extends KubernetesDocument {
  readonly metadata: { readonly name: string; readonly labels: Labels }
  readonly spec: {
    readonly selector?: { readonly matchLabels?: Labels } & Labels
    readonly podSelector?: { readonly matchLabels: Labels }
    readonly podReplacementPolicy?: string
    readonly podFailurePolicy?: {
      readonly rules: readonly {
        readonly onExitCodes?: { readonly containerName: string; readonly values: number[] }
      }[]
    }
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod }
  }
}

type Labels = Readonly<Record<string, string>>

interface Pod {
  readonly hostname?: string
  readonly terminationGracePeriodSeconds?: number
  readonly containers: readonly Container[]
  readonly volumes: readonly {
    readonly name: string
    readonly persistentVolumeClaim?: { readonly claimName: string }
  }[]
}

interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
}

const documentsOf = (file: string): Document[] =>
  parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as Document
  })

const FILES = ['kubernetes.yaml', 'kubernetes-search.yaml']

/** Those of both files: they are of one namespace. */
const documents = (): Document[] => FILES.flatMap(documentsOf)

const named = (kind: string, name: string): Document => {
  const found = documents().find((document) => document.kind === kind && document.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}

const pods = (): { document: Document; labels: Labels; pod: Pod }[] =>
  documents().flatMap((document) => {
    const { template } = document.spec
    return template === undefined ? [] : [{ document, labels: template.metadata.labels, pod: template.spec }]
  })

const has = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)

/** The flags that a command of the command line knows. */
function flagsOf(command: string): string[] {
  const program = createProgram({ terminal: new Terminal(process.stdout, process.stderr), exitCode: 0 })
  const found = program.commands.find((each) => each.name() === command)
  if (found === undefined) throw new Error(`shardloom has no command ${command}`)
  return found.options.map(({ long }) => long ?? '')
}

/** The containers that run shardloom, with the command they give it. */
const commands = (): { command: string; pod: Pod; container: Container }[] =>
  pods().flatMap(({ pod }) =>
    pod.containers
      .filter(({ image }) => image.includes('/shardloom:'))
      .map((container) => ({ command: container.args[0], pod, container })),
  )

describe('the files for Kubernetes in examples/cluster', () => {
  it('have a volume, Redis, workers, a coordinator, and search replicas', () => {
    expect(documents().map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'PersistentVolumeClaim shared',
      'Deployment redis',
      'Service redis',
      'NetworkPolicy redis',
      'Deployment worker',
      'Job build-articles',
      'Deployment search',
      'Service search',
      'PodDisruptionBudget search',
    ])
  })

  it.each(documents().map((document) => ({ name: `${document.kind} ${document.metadata.name}`, document })))(
    'are as the schemas of Kubernetes say: $name',
    ({ document }) => {
      expect(kubernetesProblems(document)).toEqual([])
    },
  )

  it('start commands and flags that shardloom has', () => {
    expect(commands().map(({ command }) => command)).toEqual(['worker', 'build'])
    for (const { command, container } of commands()) {
      const flags = container.args.filter((arg) => arg.startsWith('--'))
      expect(flags.length).toBeGreaterThan(2)
      expect(flagsOf(command)).toEqual(expect.arrayContaining(flags))
    }
  })

  it('give coordinator and workers the same Redis, and the same folder where it is mounted', () => {
    for (const { pod, container } of commands()) {
      const value = (name: string): string => container.env.find((each) => each.name === name)?.value ?? ''
      const { hostname, port } = new URL(value('SHARDLOOM_CLUSTER').replace('$(REDIS_PASSWORD)', 'secret'))
      expect(kubernetesProblems(named('Service', hostname))).toEqual([])
      expect(port).toBe('6379')
      const mount = container.volumeMounts.find(({ mountPath }) => mountPath === value('SHARDLOOM_SHARED_DIR'))
      const volume = pod.volumes.find(({ name }) => name === mount?.name)
      expect(named('PersistentVolumeClaim', volume?.persistentVolumeClaim?.claimName ?? '')).toBeDefined()
      const paths = container.args.filter((arg) => arg.startsWith('/'))
      expect(paths.filter((arg) => !arg.startsWith(`${value('SHARDLOOM_SHARED_DIR')}/`))).toEqual([])
    }
  })

  it('have selectors that select: Deployments, Services and the budget their pods, the policy Redis', () => {
    for (const { document, labels } of pods()) {
      if (document.kind === 'Deployment')
        expect(has(labels, document.spec.selector?.matchLabels ?? { no: '' })).toBe(true)
      expect(labels['app.kubernetes.io/part-of']).toBe('shardloom')
    }
    const podsOf = (name: string): Labels => named('Deployment', name).spec.template?.metadata.labels ?? {}
    const [redis, search] = [podsOf('redis'), podsOf('search')]
    expect(has(redis, named('Service', 'redis').spec.selector ?? { no: '' })).toBe(true)
    expect(has(search, named('Service', 'search').spec.selector ?? { no: '' })).toBe(true)
    expect(has(search, named('PodDisruptionBudget', 'search').spec.selector?.matchLabels ?? { no: '' })).toBe(true)
    expect(has(redis, named('NetworkPolicy', 'redis').spec.podSelector?.matchLabels ?? { no: '' })).toBe(true)
  })

  it('let a worker finish its tasks before Kubernetes kills it', () => {
    const { pod, container } = commands()[0]
    const grace = Number(container.args[container.args.indexOf('--grace-seconds') + 1])
    expect(grace).toBeGreaterThan(0)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(grace + 15)
  })

  it('try a build again, one coordinator at a time and of one name, unless it would end the same way', () => {
    const { spec } = named('Job', 'build-articles')
    expect(spec.podReplacementPolicy).toBe('Failed')
    expect(spec.template?.spec.hostname).toBe('build-articles')
    const rule = spec.podFailurePolicy?.rules.find(({ onExitCodes }) => onExitCodes !== undefined)?.onExitCodes
    expect(rule?.containerName).toBe(spec.template?.spec.containers[0].name)
    expect(rule?.values).toEqual([EXIT_CODES.input, EXIT_CODES.resources, EXIT_CODES.corrupt])
  })

  it('search the index that is built, in a folder that cannot be written, with flags that the replica has', () => {
    const { containers, volumes } = named('Deployment', 'search').spec.template?.spec ?? { containers: [], volumes: [] }
    const [{ args, volumeMounts }] = containers
    const built = commands()[1].container.args
    expect(args[args.indexOf('--index') + 1]).toBe(built[built.indexOf('--out') + 1])
    expect(volumeMounts).toEqual([{ name: 'shared', mountPath: '/shared', readOnly: true }])
    expect(volumes[0].persistentVolumeClaim?.claimName).toBe('shared')

    const replica = readFileSync(path.join(REPOSITORY, 'examples/live-service/replica.ts'), 'utf8')
    for (const flag of args.filter((arg) => arg.startsWith('--'))) {
      expect(replica).toContain(`    ${flag.slice(2)}: { type: 'string'`)
    }
  })

  it('run an image of search with the files that the replica imports, and the packages', () => {
    const dockerfile = readFileSync(path.join(FOLDER, 'search.Dockerfile'), 'utf8')
    const [{ image }] = named('Deployment', 'search').spec.template?.spec.containers ?? []
    expect(dockerfile).toContain(image)
    const files = [...dockerfile.matchAll(/examples\/live-service\/(\w+\.ts)/g)].map(([, name]) => name)
    expect(files).toContain('replica.ts')
    for (const file of files) {
      const text = readFileSync(path.join(REPOSITORY, 'examples/live-service', file), 'utf8')
      for (const [, name] of text.matchAll(/ from '\.\/(.+)'/g)) expect(files).toContain(name)
      for (const [, name] of text.matchAll(/ from '(@[^/']+\/[^/']+|[^.@:/'][^:/']*)[^:']*'/g)) {
        expect(dockerfile).toMatch(name === 'shardloom' ? /shardloom-\*\.tgz/ : new RegExp(` ${name}@\\d+`))
      }
    }
  })

  it('run the image that the Dockerfile makes, with the packages that a cluster needs', () => {
    const dockerfile = readFileSync(path.join(FOLDER, 'Dockerfile'), 'utf8')
    const { version, peerDependencies } = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
      version: string
      peerDependencies: Record<string, string>
    }
    for (const { container } of commands()) {
      expect(container.image.endsWith(`/shardloom:${version}`)).toBe(true)
      expect(dockerfile).toContain(container.image)
    }
    for (const name of ['bullmq', 'ioredis']) {
      const [, installed] = new RegExp(` ${name}@(\\d+)`).exec(dockerfile) ?? []
      expect(Number(installed)).toBeGreaterThanOrEqual(Number(peerDependencies[name].replace('>=', '')))
    }
  })
})

describe('the check of Kubernetes documents', () => {
  const worker = (): Document => named('Deployment', 'worker')

  it.each([
    ['a field that is misspelt', '"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"', 'FileSystem is no field'],
    ['a number where text is wanted', '"name":"worker"', '"name":3', 'must be string'],
    ['a size that is none', '"8Gi"', '"8 gigs"', 'memory must match'],
    ['a field that is missing', '"selector"', '"select"', 'required property selector'],
  ])('finds %s', (_what, right, wrong, problem) => {
    const text = JSON.stringify(worker())
    expect(text).toContain(right)
    expect(kubernetesProblems(JSON.parse(text.replace(right, wrong)) as Document).join('\n')).toContain(problem)
  })

  it('has no schema of a kind that is not used', () => {
    expect(kubernetesProblems({ apiVersion: 'v1', kind: 'Pot' })).toEqual(['no schema of v1 Pot'])
  })
})
