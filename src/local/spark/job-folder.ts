import { lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isFolderInUse, lockFolder } from '../folder-lock.ts'

const PREFIX = 'rocketgames-job-'

/** Where one job has its temporary files: Java, Spark and Python leave theirs where they are when they are killed. */
export interface JobFolder {
  readonly path: string
  /** Removes it with all that is in it; what cannot be removed goes with a later job, and fails none. */
  remove(): Promise<void>
}

/**
 * Makes such a folder, and removes those whose makers are gone: who was killed could not.
 *
 * @param parent default the machine's folder of temporary files.
 */
export async function makeJobFolder(parent: string = os.tmpdir()): Promise<JobFolder> {
  await removeLeft(parent)
  // Under its name it has its maker's mark from the first moment on: nobody takes it for a dead one's.
  const begun = await mkdtemp(path.join(parent, `.${PREFIX}`))
  await lockFolder(begun, 'a Spark job')
  const folder = path.join(parent, path.basename(begun).slice(1))
  await rename(begun, folder)
  const own = path.join(folder, 'tmp')
  await mkdir(own)
  return { path: own, remove: () => removeFolder(folder).catch(() => undefined) }
}

/** The parent is open to everybody on this machine: what is a link or belongs to another user is not even looked into. */
async function removeLeft(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX))
  for (const name of names) {
    const folder = path.join(parent, name)
    const isLeft = (await isOurs(folder)) && !(await isFolderInUse(folder).catch(() => true))
    if (isLeft) await removeFolder(folder).catch(() => undefined)
  }
}

async function isOurs(folder: string): Promise<boolean> {
  const facts = await lstat(folder).catch(() => undefined)
  return facts?.isDirectory() === true && facts.uid === process.getuid?.()
}

const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 })
