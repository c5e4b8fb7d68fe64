// Where the library is to work, and what says so. A step is a command in a project that has the package; every last one
// prints what run.mjs finds, or says why it cannot work.
const FOUND = '2000 v7 v8'
const MARK_EXTERNAL = /mark shardloom as external: .*--external:shardloom.*serverExternalPackages/
const NEEDS_NODE = /shardloom needs Node\.js 20\.19, or 22\.2 or later; this is /

const tests = (file, args, env) => [{ command: ['node', file, ...args], env }]
const vitest = (pool) => ({
  name: `vitest ${pool}`,
  packages: ['vitest@4'],
  steps: tests('node_modules/vitest/vitest.mjs', ['run', '--pool', pool]),
})
const bundle = (tool, format, packages) => [
  {
    name: `${tool} ${format}, external`,
    packages,
    steps: [
      { command: ['node', 'bundle.mjs', tool, format, 'external'] },
      { command: ['node', format === 'esm' ? 'out/main.mjs' : 'out/main.cjs'], prints: FOUND },
    ],
  },
  {
    name: `${tool} ${format}, bundled, is told what to do`,
    packages,
    steps: [
      { command: ['node', 'bundle.mjs', tool, format, 'whole'] },
      { command: ['node', format === 'esm' ? 'out/main.mjs' : 'out/main.cjs'], fails: MARK_EXTERNAL },
    ],
  },
]
const node = (version, expected) => ({
  name: `Node.js ${version}`,
  runtime: `node@${version}`,
  steps: [{ command: ['runtime', 'main.mjs'], ...expected }],
})
const nodeCommand = (version) => ({
  name: `the command under Node.js ${version}`,
  runtime: `node@${version}`,
  steps: [{ command: ['runtime', 'node_modules/shardloom/dist/bundle/lib/main.js', '--version'], fails: NEEDS_NODE }],
})
const compiler = (version, ...flags) => ({
  name: `TypeScript ${version} ${flags.join(' ')}`,
  runtime: `typescript@${version}`,
  steps: [
    {
      command: [
        'node',
        'runtime',
        '--noEmit',
        '--strict',
        '--target',
        'es2022',
        '--typeRoots',
        'none',
        ...flags,
        'main.ts',
      ],
    },
  ],
})

export const ENVIRONMENTS = [
  ...['20.19.0', '20', '22', '24', '26'].map((version) => node(version, { prints: FOUND })),
  ...['16', '18', '20.18', '22.1'].map((version) => node(version, { fails: NEEDS_NODE })),
  ...['14', '16', '18'].map(nodeCommand),
  { name: 'Bun', packages: ['bun'], steps: [{ command: ['node_modules/.bin/bun', 'main.mjs'], prints: FOUND }] },
  {
    name: 'Deno',
    packages: ['deno'],
    steps: [{ command: ['node_modules/.bin/deno', 'run', '-A', 'main.mjs'], prints: FOUND }],
  },
  { name: 'tsx', packages: ['tsx'], steps: [{ command: ['node', '--import', 'tsx', 'main.ts'], prints: FOUND }] },
  {
    name: 'Jest',
    packages: ['jest@30'],
    steps: tests('node_modules/jest/bin/jest.js', [], { NODE_OPTIONS: '--experimental-vm-modules' }),
  },
  ...['forks', 'threads', 'vmThreads', 'vmForks'].map(vitest),
  ...['esm', 'cjs'].flatMap((format) => bundle('esbuild', format, ['esbuild'])),
  ...bundle('webpack', 'cjs', ['webpack@5']),
  ...bundle('vite', 'esm', ['vite']),
  ...['5.0', '5.6', '5.9', '6.0'].map((version) =>
    compiler(version, '--module', 'nodenext', '--skipLibCheck', 'false', '--lib', 'es2022,dom'),
  ),
  compiler('5.9', '--module', 'esnext', '--moduleResolution', 'node10', '--lib', 'es2022,dom'),
  compiler('5.9', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom'),
]
