/**
 * `npm run container [-- --source <folder>] [-- --rebuild-base]`: builds the Dockerfile without Docker (buildah) and runs what came out as
 * it would run in production (runc): read-only, as uid 1000, without capabilities, against the embedded Postgres and the local S3,
 * Glue and Athena. Prints what it looked at; exit code 1 when anything is not as it must be.
 *
 * Builds the last commit; with --source the files as they lie in that folder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readOptions } from '../read-options.ts'
import { ensureBaseImage } from './base-image.ts'
import { buildImage, type Source, sourceOf } from './build-image.ts'
import { Buildah } from './buildah.ts'
import { Checks } from './checks.ts'
import { cleanUpOnSignal, interrupted } from './command.ts'
import { checkCompose } from './compose-checks.ts'
import { checkConfig, checkContents, checkSecrets, checkSize } from './image-checks.ts'
import { imageFacts } from './image-config.ts'
import { ensureRequirements } from './requirements.ts'
import { checkRunning } from './running-checks.ts'
import { startStandIns } from './stand-ins.ts'

const values = readOptions(
  {
    usage: 'npm run container -- [options]',
    about: 'Builds the image without Docker, runs it as production would, and tells what is not as it must be',
    options: {
      source: { type: 'string', help: 'folder whose files are built as they lie there (default: the last commit)' },
      'rebuild-base': { type: 'boolean', default: false, help: 'makes the base image anew' },
    },
  },
  process.argv.slice(2),
)

/** Outside of the repository; the base image in it is made once. */
const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'rocketgames-container')

async function timed<T>(checks: Checks, what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  checks.note(what, true, `${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

async function checkAll(buildah: Buildah, source: Source, scratch: string, checks: Checks): Promise<void> {
  const rebuild = values['rebuild-base']
  const base = await timed(checks, 'base image', () => ensureBaseImage({ folder: scratch, buildah, rebuild }))
  const image = await timed(checks, 'build', () => buildImage({ buildah, base, source, target: 'production' }))
  const local = await timed(checks, 'build of the target local-aws', () =>
    buildImage({ buildah, base, source, target: 'local-aws' }),
  )
  const mounts = [await buildah.mount(image), await buildah.mount(local)] as const
  try {
    const facts = await imageFacts(buildah, image)
    const [{ folder: rootfs }, { folder: localRootfs }] = mounts
    checkConfig(facts, checks)
    checkContents(rootfs, checks)
    await checkSize({ buildah, image, base }, facts, rootfs, checks)
    const standIns = await startStandIns(scratch)
    try {
      await checkSecrets({ buildah, image, base }, { folder: scratch, secrets: standIns.secrets }, checks)
      await checkRunning({ folder: scratch, rootfs, image: facts.config, standIns, checks })
    } finally {
      await standIns.stop()
    }
    const { config } = await imageFacts(buildah, local)
    const images = { production: { rootfs, config: facts.config }, 'local-aws': { rootfs: localRootfs, config } }
    await checks.guard('compose', () => checkCompose({ folder: scratch, source: source.folder, images, checks }))
  } finally {
    for (const mounted of mounts) await mounted.remove()
  }
}

cleanUpOnSignal()
await ensureRequirements()
const checks = new Checks()
const buildah = await Buildah.open(CACHE)
const scratch = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-container-'))
try {
  const source = await sourceOf(values.source, path.join(scratch, 'source'))
  await checks.guard('the run', () => checkAll(buildah, source, scratch, checks))
} catch (error) {
  if (!interrupted.aborted) throw error
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
if (interrupted.aborted) process.stderr.write('interrupted\n')
else {
  const verdict = checks.failures === 0 ? 'all as it must be' : `${checks.failures} failed`
  process.stdout.write(`\n${checks.table()}\n\n${verdict}\n`)
  process.exitCode = checks.failures === 0 ? 0 : 1
}
