// node bundle.mjs esbuild | webpack | vite, then esm | cjs, then external | whole: to out/main.*
const [tool, format, how] = process.argv.slice(2)
const isExternal = how === 'external'
const name = format === 'esm' ? 'main.mjs' : 'main.cjs'

const BUNDLERS = {
  async esbuild() {
    const { build } = await import('esbuild')
    await build({
      entryPoints: ['main.mjs'],
      bundle: true,
      platform: 'node',
      format,
      outfile: `out/${name}`,
      minify: true,
      logLevel: 'error',
      external: isExternal ? ['shardloom'] : [],
    })
  },
  async webpack() {
    const { default: webpack } = await import('webpack')
    const compiler = webpack({
      mode: 'production',
      target: 'node',
      entry: './main.mjs',
      output: { path: `${process.cwd()}/out`, filename: name },
      externals: isExternal ? { shardloom: 'commonjs shardloom' } : {},
    })
    await new Promise((resolve, reject) =>
      compiler.run((error, stats) =>
        error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve(),
      ),
    )
  },
  async vite() {
    const { build } = await import('vite')
    await build({
      logLevel: 'error',
      configFile: false,
      ssr: isExternal ? { external: ['shardloom'] } : { noExternal: true },
      build: { ssr: 'main.mjs', outDir: 'out', rollupOptions: { output: { entryFileNames: name, format } } },
    })
  },
}
await BUNDLERS[tool]()
