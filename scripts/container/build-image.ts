import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Buildah } from './buildah.ts'
import { run } from './command.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** What an image is built from. */
export interface Source {
  readonly folder: string
  /** For the labels and, by GIT_SHA, for every manifest that the image writes. */
  readonly revision: string
}

/**
 * @param given a folder, whose files are taken as they are; undefined: the last commit
 * @param folder where the last commit is laid out
 */
export async function sourceOf(given: string | undefined, folder: string): Promise<Source> {
  const revision = (await run('git', ['rev-parse', 'HEAD'], { cwd: ROOT })).trim()
  if (given !== undefined) return { folder: path.resolve(given), revision: `${revision}-changed` }
  mkdirSync(folder, { recursive: true })
  await run('sh', ['-c', 'git archive HEAD | tar -x -C "$1"', 'sh', folder], { cwd: ROOT })
  return { folder, revision }
}

export interface BuildOptions {
  readonly buildah: Buildah
  /** The image that stands in for the Dockerfile's. */
  readonly base: string
  readonly source: Source
  readonly target: 'production' | 'local-aws'
}

/** Builds a target of the Dockerfile, each step a layer as Docker makes them. @returns the image's name */
export async function buildImage({ buildah, base, source, target }: BuildOptions): Promise<string> {
  const name = `localhost/rocketgames-accounts:${target}`
  const { version } = JSON.parse(readFileSync(path.join(source.folder, 'package.json'), 'utf8')) as { version: string }
  const given = {
    NODE_IMAGE: base,
    VERSION: version,
    GIT_SHA: source.revision,
    CREATED: `${new Date().toISOString().slice(0, 19)}Z`,
  }
  const args = Object.entries(given).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
  const how = [
    '--isolation',
    'chroot',
    '--format',
    'docker',
    '--layers',
    '--force-rm',
    '--pull-never',
    '--target',
    target,
  ]
  await buildah.run(['build', ...how, ...args, '--tag', name, source.folder])
  return name
}
