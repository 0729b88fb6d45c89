import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Buildah } from './buildah.ts'
import { run } from './command.ts'

const SUITE = 'bookworm'
const EXTRA_CA = '/etc/ssl/certs/build-machine.pem'

export interface BaseImageOptions {
  /** Where the root file system is made; removed afterwards. */
  readonly folder: string
  readonly buildah: Buildah
  readonly rebuild: boolean
}

/**
 * A stand-in for `node:24-bookworm-slim` where no image can be pulled: a minimal Debian, the Node.js that runs this script (npm
 * installed it from the package `node`) and npm. It is made once and kept.
 *
 * What this machine needs to reach its package registry (npm's settings, further certificate authorities) goes into this image and
 * never into the Dockerfile.
 *
 * @returns its name
 */
export async function ensureBaseImage({ folder, buildah, rebuild }: BaseImageOptions): Promise<string> {
  const name = `localhost/rocketgames-base:node-${process.versions.node}`
  if (!rebuild && (await buildah.hasImage(name))) return name
  const root = path.join(folder, 'rootfs')
  rmSync(root, { recursive: true, force: true })
  const mirror = process.env.DEBIAN_MIRROR
  const packages = ['--variant=minbase', '--include=ca-certificates', SUITE, root]
  await run('debootstrap', mirror ? [...packages, mirror] : packages, { env: { ...process.env, PATH: SYSTEM_PATH } })
  await run('sh', ['-c', 'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*', 'sh', root])
  addNode(root)
  await addNpmSettings(root)
  await run('chroot', [root, 'groupadd', '-g', '1000', 'node'], { env: { ...process.env, PATH: SYSTEM_PATH } })
  await run('chroot', [root, 'useradd', '-u', '1000', '-g', '1000', '-m', 'node'], {
    env: { ...process.env, PATH: SYSTEM_PATH },
  })
  await commit(buildah, root, name)
  rmSync(root, { recursive: true, force: true })
  return name
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function addNode(root: string): void {
  const npm = process.env.npm_execpath
  if (npm === undefined) throw new Error('Run it by npm: npm run container')
  const bin = path.join(root, 'usr/local/bin')
  const modules = path.join(root, 'usr/local/lib/node_modules')
  mkdirSync(bin, { recursive: true })
  mkdirSync(modules, { recursive: true })
  copyFileSync(process.execPath, path.join(bin, 'node'))
  cpSync(path.resolve(npm, '../..'), path.join(modules, 'npm'), { recursive: true, dereference: true })
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(bin, name))
}

/** The registry that npm uses here, and certificate authorities beyond those that Node.js brings. */
async function addNpmSettings(root: string): Promise<void> {
  const lines = ['update-notifier=false']
  const [registry, usual] = await Promise.all([
    run('npm', ['config', 'get', 'registry']),
    run('npm', ['config', 'get', 'registry', '--registry=', '--userconfig=/dev/null', '--globalconfig=/dev/null']),
  ])
  if (registry.trim() !== usual.trim()) lines.push(`registry=${registry.trim()}`)
  mkdirSync(path.join(root, 'usr/local/etc'), { recursive: true })
  writeFileSync(path.join(root, 'usr/local/etc/npmrc'), `${lines.join('\n')}\n`)
  const ca = extraCertificates()
  if (ca !== undefined) copyFileSync(ca, path.join(root, EXTRA_CA))
}

function extraCertificates(): string | undefined {
  const file = process.env.NODE_EXTRA_CA_CERTS
  return file !== undefined && existsSync(file) ? file : undefined
}

async function commit(buildah: Buildah, root: string, name: string): Promise<void> {
  const container = await buildah.run(['from', 'scratch'])
  const folder = await buildah.run(['mount', container])
  await run('cp', ['-a', `${root}/.`, `${folder}/`])
  await buildah.run(['umount', container])
  const ca = extraCertificates() === undefined ? [] : ['--env', `NODE_EXTRA_CA_CERTS=${EXTRA_CA}`]
  await buildah.run(['config', '--env', `PATH=${SYSTEM_PATH}`, ...ca, '--cmd', 'node', container])
  await buildah.run(['commit', '--quiet', '--format', 'docker', '--rm', container, name])
}
