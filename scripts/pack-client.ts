/**
 * `npm run pack:client`, after `npm run build`: the client alone as a tarball, for projects that call the API. The same name and
 * the same `rocketgames-accounts/client` as in the whole package, without what only the service needs.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readOptions } from './read-options.ts'

const root = path.resolve(import.meta.dirname, '..')

/** What a project that calls the API needs at run time, or to compile. */
const NEEDED = ['openapi-fetch', 'openapi-typescript-helpers'] as const

interface Manifest {
  readonly [field: string]: unknown
  readonly dependencies: Readonly<Record<string, string>>
}

/** Fills `folder` with the package. @param dist the folder that the build made */
export function clientPackage(folder: string, dist: string): void {
  const { name, version, description, license, type, exports, dependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Manifest
  const manifest = {
    ...{ name, version, description, private: true, license, type, exports },
    // Lower than the service needs: it runs where its callers run.
    engines: { node: '>=20' },
    dependencies: Object.fromEntries(NEEDED.map((each) => [each, dependencies[each]])),
  }
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  cpSync(path.join(dist, 'client'), path.join(folder, 'dist/client'), {
    recursive: true,
    filter: (file) => !file.endsWith('.map'),
  })
  for (const file of readdirSync(path.join(folder, 'dist/client')).filter((each) => each.endsWith('.js'))) {
    const at = path.join(folder, 'dist/client', file)
    writeFileSync(at, readFileSync(at, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '\n'))
  }
}

if (import.meta.main) {
  readOptions(
    { usage: 'npm run pack:client', about: 'Packs the client alone as a tarball, after npm run build', options: {} },
    process.argv.slice(2),
  )
  const folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-client-'))
  try {
    clientPackage(folder, path.join(root, 'dist'))
    execFileSync('npm', ['pack', folder, '--pack-destination', root], { stdio: 'inherit' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
