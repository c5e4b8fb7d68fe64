/**
 * What a test can see of the environments without a download: the packed package beside its dependencies, and the
 * tools that this repository has. `npm run test:environments` runs them all.
 */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { REPOSITORY, run } from '../examples/run.js'
import { makeFolder } from '../fixtures/builds.js'
import { installPacked } from '../fixtures/packed-package.js'

interface Environment {
  readonly name: string
}
const { ENVIRONMENTS } = (await import(new URL('environments.mjs', import.meta.url).href)) as {
  readonly ENVIRONMENTS: readonly Environment[]
}
const { runEnvironment } = (await import(new URL('run-environment.mjs', import.meta.url).href)) as {
  readonly runEnvironment: (environment: Environment, project: string, runtime?: string) => Promise<void>
}
const project = join(makeFolder(), 'project')

beforeAll(() => {
  cpSync(join(REPOSITORY, 'test/environments/project'), project, { recursive: true })
  installPacked(project)
}, 120_000)

const SAMPLE = ['vitest vmThreads', 'esbuild esm, external', 'esbuild esm, bundled, is told what to do', 'esbuild cjs, bundled, is told what to do'] // prettier-ignore

it.each(SAMPLE)('%s', async (name) => {
  const environment = ENVIRONMENTS.find((each) => each.name === name)
  expect(environment).toBeDefined()
  if (environment !== undefined) await runEnvironment(environment, project)
})

it('loads no native addon', async () => {
  const tell = "process.dlopen = (_, file) => process.stderr.write('native: ' + file)"
  const steps = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, 'main.mjs']
  expect(await run(process.execPath, steps, { cwd: project })).toMatchObject({ exitCode: 0, stderr: '' })
})

describe('an old Node.js', () => {
  const old = (version: string): string =>
    `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`

  it.each(['14.21.3', '18.20.8', '20.18.3', '21.7.3', '22.1.0'])(
    '%s is told by library and command',
    async (version) => {
      for (const program of ['main.mjs', 'node_modules/shardloom/dist/bundle/lib/main.js']) {
        const ended = await run(process.execPath, ['--import', old(version), program], { cwd: project })
        expect(ended).toMatchObject({ exitCode: 1, stdout: '' })
        expect(ended.stderr).toContain(`shardloom needs Node.js 20.19, or 22.2 or later; this is ${version}`)
      }
    },
  )
})

describe('the types', () => {
  const errorsOf = (options: ts.CompilerOptions): string[] => {
    const program = ts.createProgram([join(project, 'main.ts')], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      types: [],
      skipLibCheck: false,
      ...options,
    })
    const found = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')) // prettier-ignore
    reached = program.getSourceFiles().map(({ fileName }) => fileName)
    return found.filter((message) => !message.includes("name 'console'"))
  }
  let reached: readonly string[] = []

  it.each([
    ['nodenext', { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }],
    ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
    ['node10', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Node10, ignoreDeprecations: '6.0' }], // prettier-ignore
  ])('are found by %s resolution, and need neither @types/node nor the DOM', (_name, options) => {
    expect(errorsOf({ ...options, lib: ['lib.es2022.d.ts'] })).toEqual([])
  })

  it('are read by TypeScript below 5.7: no typed array has a parameter, no package but ours is read', () => {
    const ours = reached.filter((name) => name.includes('/shardloom/'))
    expect(ours.length).toBeGreaterThan(10)
    expect(ours.filter((name) => /(Array|Buffer)<ArrayBuffer/.test(readFileSync(name, 'utf8')))).toEqual([])
    expect(reached.filter((name) => /node_modules\/(?!shardloom\/|typescript\/)/.test(name.replace(REPOSITORY, '')))).toEqual([]) // prettier-ignore
  })
})
