// Bundles what is published to dist/bundle: every command and thread would else load hundreds of modules, one by one.
// The folder is a root of its own, with `lib`, `workers` and `kernel` in it, so files are found as in dist (own-files.ts).
// Skipped when nothing changed, as dist/.bundled tells.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import { sourceNames } from './build-dist.mjs'
import { checksum } from './checksum.mjs'
import { root } from './run-tool.mjs'

const bundle = path.join(root, 'dist/bundle')
const stamp = path.join(root, 'dist/.bundled')
const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
/** Packages that every command needs are taken in. The others are loaded from node_modules. */
const TAKEN_IN = ['commander', 'fzstd', 'msgpackr', 'p-queue', 'valibot']
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !TAKEN_IN.includes(name))

/**
 * What stays a file of its own, loaded when it is needed. Other dynamic imports of ours become static: every one would
 * cut the rest into more files, and to open a file costs as much as to read 20 kB.
 */
const APART = /\/(run|execute|failure|commands|report-page|json-log|plan-parquet|open-cluster)\.js$/

const together = {
  name: 'together',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/(src|workers)\/.*\.ts$/ }, ({ path: file }) => {
      const imports = []
      const contents = readFileSync(file, 'utf8').replaceAll(/\bimport\('(\.[^']+)'\)/g, (dynamic, name) => {
        if (APART.test(name)) return dynamic
        imports.push(`import * as loaded${imports.length} from '${name}'\n`)
        return `loaded${imports.length - 1}`
      })
      return { contents: imports.join('') + contents, loader: 'ts' }
    }),
}

/** @type {import('esbuild').BuildOptions} */
const OPTIONS = {
  absWorkingDir: root,
  outdir: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  metafile: true,
}

/** A file of its own: it is CommonJS, which needs a `require`. */
function bundleCommander() {
  return build({
    ...OPTIONS,
    entryPoints: { 'lib/commander': 'commander' },
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
  })
}

const commanderApart = {
  name: 'commander-apart',
  setup: ({ onResolve }) => onResolve({ filter: /^commander$/ }, () => ({ path: './commander.js', external: true })),
}

/** Not minified: Node.js prints the line of an error that nobody catches. */
function bundleModules() {
  return build({
    ...OPTIONS,
    entryPoints: {
      'lib/check-host': 'src/host/check-host.ts',
      'lib/library': 'src/index.ts',
      'lib/main': 'src/cli/main.ts',
      'workers/worker': 'workers/worker.ts',
      'workers/live': 'workers/live.ts',
    },
    chunkNames: 'lib/[name]-[hash]',
    splitting: true,
    external: external.flatMap((name) => [name, `${name}/*`]),
    plugins: [together, commanderApart],
  })
}

/** The licences of the packages that were taken in. */
function licencesOf(results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const names = inputs.flatMap((name) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name) ?? [])
  const folders = [...new Set(names.filter((name) => name.includes('node_modules/')))].sort()
  return folders.map((folder) => {
    const { name, version } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))
    const file = ['LICENSE', 'LICENSE.md', 'license'].find((each) => existsSync(path.join(root, folder, each)))
    if (file === undefined) throw new Error(`${name} has no licence to bundle with it`)
    return `# ${name} ${version}\n\n${readFileSync(path.join(root, folder, file), 'utf8').trim()}\n`
  })
}

/** Answers what was done. */
export async function buildBundle() {
  const sources = ['package-lock.json', 'package.json', 'scripts/build-bundle.mjs', ...sourceNames()]
  const now = checksum(
    [],
    sources.map((name) => path.join(root, name)),
  )
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return 'unchanged'
  rmSync(bundle, { recursive: true, force: true })
  const results = await Promise.all([bundleModules(), bundleCommander()])
  chmodSync(path.join(bundle, 'lib/main.js'), 0o755)
  // First: an old Node.js and a bundle of others are refused before anything else is evaluated.
  writeFileSync(path.join(bundle, 'lib/index.js'), "import './check-host.js'\nexport * from './library.js'\n")
  writeFileSync(path.join(bundle, 'LICENSES.md'), licencesOf(results).join('\n'))
  writeFileSync(stamp, now)
  return 'made by esbuild'
}
