/**
 * The API as one file for AWS Lambda, with the files that it reads: `node scripts/bundle-function.ts [folder]`, default
 * `dist/function`. The deployment runs it for the function's asset.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { NOT_SERVED } from '../src/http/api-page/guide-page.ts'
import { rdsCertificates } from './container/rds-certificates.ts'
import { readFolder } from './read-options.ts'

const ROOT = path.resolve(import.meta.dirname, '..')

/** Read at run time, found by the place of the module that reads them. */
const ASSETS = ['package.json', 'docs', 'prisma/migrations', 'src/http/api-page/assets', 'src/lake/athena/queries']
const PACKAGE_FILES: Readonly<Record<string, readonly string[]>> = {
  'swagger-ui-dist': ['package.json', 'swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'],
  'pg-boss': ['package.json'],
}

const COMPILER = '@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs'
const COMPILER_MODULE = `import { readFileSync } from 'node:fs'
export const wasm = readFileSync(new URL('query-compiler.wasm', import.meta.url)).toString('base64')
`

/** Modules keep their own place: assets lie in the bundle as they lie in the repository. */
const ownPlace: Plugin = {
  name: 'own place',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path: file }) => {
      const place = JSON.stringify(path.relative(ROOT, file))
      const contents = readFileSync(file, 'utf8')
        .replaceAll('import.meta.url', `new URL(${place}, __bundle).href`)
        .replaceAll('import.meta.dirname', `__pathOf(new URL('.', new URL(${place}, __bundle)))`)
      return { contents, loader: 'ts' }
    })
    // Five megabytes of text that are a program: parsed with the rest they would be half of every cold start.
    esbuild.onResolve({ filter: /\.wasm-base64\.mjs$/ }, ({ path: name }) => {
      if (name !== COMPILER) throw new Error(`${name} is not the query compiler that the bundle brings`)
      return { path: './query-compiler.mjs', external: true }
    })
    // The embedded database and endpoint: a function cannot have them, and says so.
    esbuild.onResolve({ filter: /\/local\/.*\.ts$/ }, ({ path: name }) => ({ path: name, external: true }))
  },
}

/** CommonJS, since some packages are written for it alone, down to variables that they never declare. */
const BANNER = `const __bundle = require('node:url').pathToFileURL(__dirname + '/')
const __pathOf = require('node:url').fileURLToPath`

/** @returns bytes of the bundle alone. */
export async function bundleFunction(out: string): Promise<number> {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const outfile = path.join(out, 'lambda.cjs')
  await build({
    entryPoints: [path.join(ROOT, 'src/lambda.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    // Errors are told apart by their names.
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: BANNER },
    // Optional parts of packages, none of which is used.
    external: ['pg-native', 'snappy'],
    plugins: [ownPlace],
  })
  const served = (file: string) => !NOT_SERVED.some((name) => file === path.join(ROOT, 'docs', `${name}.md`))
  for (const asset of ASSETS) {
    cpSync(path.join(ROOT, asset), path.join(out, asset), { recursive: true, filter: served })
  }
  const { wasm } = (await import(COMPILER)) as { wasm: string }
  writeFileSync(path.join(out, 'query-compiler.wasm'), Buffer.from(wasm, 'base64'))
  writeFileSync(path.join(out, 'query-compiler.mjs'), COMPILER_MODULE)
  writeFileSync(path.join(out, 'rds-ca.pem'), rdsCertificates(new Date()))
  const require = createRequire(import.meta.url)
  for (const [name, files] of Object.entries(PACKAGE_FILES)) {
    const from = path.dirname(require.resolve(`${name}/package.json`))
    for (const file of files) cpSync(path.join(from, file), path.join(out, 'node_modules', name, file))
  }
  return statSync(outfile).size
}

if (process.argv[1] === import.meta.filename) {
  const program = {
    usage: 'node scripts/bundle-function.ts [folder]',
    about: 'Puts the API as one file for AWS Lambda into the folder (default dist/function)',
  }
  const out = path.resolve(readFolder(program, process.argv.slice(2)) ?? path.join(ROOT, 'dist/function'))
  const bytes = await bundleFunction(out)
  process.stdout.write(`${out}: ${(bytes / 1024 / 1024).toFixed(1)} MiB of code\n`)
}
