import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { clientPackage } from '../../scripts/pack-client.ts'
import { ROOT, run } from './service.ts'

const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc')
const BIN = path.join(ROOT, 'node_modules/.bin')

async function must(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const done = await run(program, args, env)
  if (done.code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${done.code}:\n${done.stdout}${done.stderr}`)
  return done.stdout
}

/** What `npm run build` makes, in another folder: the package as it is packed. */
export async function buildPackage(folder: string): Promise<void> {
  const dist = path.join(folder, 'dist')
  // The same files in a quarter of the CPU: that the types are right, `npm run check` says of the same sources.
  await must(process.execPath, [TSC, '-p', path.join(ROOT, 'tsconfig.build.json'), '--noCheck', '--outDir', dist])
  await must(process.execPath, [TSC, '-p', path.join(ROOT, 'tsconfig.client.json'), '--outDir', dist])
  await must(process.execPath, [path.join(ROOT, 'scripts/copy-assets.ts'), dist])
  for (const name of ['package.json', 'bin', 'docs', 'README.md']) {
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true })
  }
  const development = /(^|\/)(tests|__pycache__|requirements\.in|pyproject\.toml)$/
  cpSync(path.join(ROOT, 'glue-jobs'), path.join(folder, 'glue-jobs'), {
    recursive: true,
    filter: (name) => !development.test(name),
  })
  mkdirSync(path.join(folder, 'prisma'), { recursive: true })
  cpSync(path.join(ROOT, 'prisma/migrations'), path.join(folder, 'prisma/migrations'), { recursive: true })
}

/**
 * A project of somebody else, with the packed client installed as npm would: its files, and what they need at run time beside
 * them. Nothing is downloaded.
 */
export async function projectWithPackage(folder: string): Promise<string> {
  const source = path.join(folder, 'package')
  const client = path.join(folder, 'client')
  const project = path.join(folder, 'project')
  const installed = path.join(project, 'node_modules/rocketgames-accounts')
  mkdirSync(source, { recursive: true })
  mkdirSync(client, { recursive: true })
  mkdirSync(installed, { recursive: true })
  await buildPackage(source)
  clientPackage(client, path.join(source, 'dist'))
  const env = { PATH: `${BIN}:${process.env.PATH}`, npm_config_offline: 'true' }
  const tarball = (
    await must('npm', ['pack', client, '--pack-destination', folder, '--silent', '--ignore-scripts'], env)
  ).trim()
  await must('tar', ['-xzf', path.join(folder, tarball), '-C', installed, '--strip-components=1'])
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types', 'undici-types']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(project, 'node_modules', name))
  }
  writeFileSync(path.join(project, 'package.json'), '{"name":"somebody-else","private":true,"type":"module"}\n')
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify(STRICT))
  return project
}

const STRICT = {
  compilerOptions: {
    ...{ target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: false },
    ...{ noUncheckedIndexedAccess: true, types: ['node'] },
  },
  include: ['*.ts'],
}

/** Type-checks the TypeScript of a project as its own compiler would; answers with what it complains about. */
export async function typeErrors(project: string): Promise<string> {
  const done = await run(process.execPath, [TSC, '-p', path.join(project, 'tsconfig.json')])
  return done.code === 0 ? '' : done.stdout
}
