import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Classes that every realm has its own of: those of the language and of Node.js. */
const BUILT_IN = Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name))

/** What Node.js 16 has not, by module. All of the library is linked at once, in a bundle, before the check runs. */
const NEW_BUILTINS = {
  'node:zlib': ['crc32', 'zstdDecompressSync', 'createZstdDecompress'],
  'node:fs': ['statfsSync', 'openAsBlob', 'globSync'],
  'node:fs/promises': ['statfs', 'glob'],
  'node:buffer': ['isUtf8', 'isAscii', 'File'],
  'node:util': ['styleText', 'parseArgs', 'parseEnv', 'stripVTControlCharacters'],
  'node:os': ['availableParallelism', 'machine'],
  'node:module': ['registerHooks', 'findPackageJSON', 'enableCompileCache'],
}

export default tseslint.config(
  {
    ignores: [
      'dist',
      'api/**',
      'node_modules',
      'bench/node_modules',
      'kernel/assembly',
      'examples/data',
      'test/environments/project',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Nothing is silent: a promise that nobody awaits is an error that nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'spill/**/*.ts', 'workers/**/*.ts', 'kernel/*.ts'],
    rules: {
      // Under Jest and vitest's vm pools a value of Node.js is of another realm, so that these are false: src/runtime/realms.ts.
      'no-restricted-syntax': [
        'error',
        {
          selector: `BinaryExpression[operator='instanceof'][right.name=/^(${BUILT_IN.join('|')})$/]`,
          message: 'false for a value of another realm; ask it for what it has (src/runtime/realms.ts)',
        },
        {
          selector: `BinaryExpression[left.property.name='constructor'], BinaryExpression[right.property.name='constructor']`,
          message: 'another one for a value of another realm; ask it for what it has (src/runtime/realms.ts)',
        },
      ],
      // An import that an old Node.js cannot link fails before src/host/check-host.ts says what is needed.
      'no-restricted-imports': [
        'error',
        {
          paths: Object.entries(NEW_BUILTINS).map(([name, importNames]) => ({
            name,
            importNames,
            message: 'an old Node.js cannot link it: take it from the default export',
          })),
        },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
      },
    },
  },
)
