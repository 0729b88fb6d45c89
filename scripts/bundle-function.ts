/**
 * The API as one file for AWS Lambda, with the files that it reads: `node scripts/bundle-function.ts [folder]`, default
 * `dist/function`. The deployment runs it for the function's asset.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'
import { rdsCertificates } from './container/rds-certificates.ts'

const ROOT = path.resolve(import.meta.dirname, '..')

/** Read at run time, found by the place of the module that reads them. */
const ASSETS = ['package.json', 'docs', 'prisma/migrations', 'src/http/api-page/assets', 'src/lake/athena/queries']
const PACKAGE_FILES: Readonly<Record<string, readonly string[]>> = {
  'swagger-ui-dist': ['package.json', 'swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'],
  'pg-boss': ['package.json'],
}

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
    // The embedded database and endpoint: a function cannot have them, and says so.
    esbuild.onResolve({ filter: /\/local\/[a-z-]+\.ts$/ }, ({ path: name }) => ({ path: name, external: true }))
  },
}

/** For packages that were written for `require`. */
const BANNER = `import { createRequire as __requireOf } from 'node:module'
import { fileURLToPath as __pathOf } from 'node:url'
const __bundle = new URL('./', import.meta.url)
const require = __requireOf(import.meta.url)
const __filename = __pathOf(import.meta.url)
const __dirname = __pathOf(__bundle)`

/** @returns bytes of the bundle alone. */
export async function bundleFunction(out: string): Promise<number> {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const outfile = path.join(out, 'lambda.mjs')
  await build({
    entryPoints: [path.join(ROOT, 'src/lambda.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['node', 'import'],
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
  for (const asset of ASSETS) cpSync(path.join(ROOT, asset), path.join(out, asset), { recursive: true })
  writeFileSync(path.join(out, 'rds-ca.pem'), rdsCertificates(new Date()))
  const require = createRequire(import.meta.url)
  for (const [name, files] of Object.entries(PACKAGE_FILES)) {
    const from = path.dirname(require.resolve(`${name}/package.json`))
    for (const file of files) cpSync(path.join(from, file), path.join(out, 'node_modules', name, file))
  }
  return statSync(outfile).size
}

if (process.argv[1] === import.meta.filename) {
  const out = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist/function'))
  const bytes = await bundleFunction(out)
  process.stdout.write(`${out}: ${(bytes / 1024 / 1024).toFixed(1)} MiB of code\n`)
}
