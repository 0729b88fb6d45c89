import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isFolderInUse, lockFolder } from '../folder-lock.ts'

const PREFIX = 'rocketgames-job-'

/** Where one job has its temporary files: Java, Spark and Python leave theirs where they are when they are killed. */
export interface JobFolder {
  readonly path: string
  /** Removes it with all that is in it. */
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
  return { path: own, remove: () => removeFolder(folder) }
}

/** What cannot be removed, as a folder of another user, stays. */
async function removeLeft(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX))
  for (const name of names) {
    const folder = path.join(parent, name)
    const inUse = await isFolderInUse(folder).catch(() => true)
    if (!inUse) await removeFolder(folder).catch(() => undefined)
  }
}

const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 })
