import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Makes names that were created, renamed or removed in `folder` survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces `path` by `text`: a reader, also after a crash at any instant, sees the old text or the new one. Durable when it
 * resolves. Two writers of one path must take turns.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  try {
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Creates `folder` below an existing parent, durably. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await syncFolder(dirname(folder))
}

export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The content of a file of ours. Damage from outside stops the start and names the file. */
export function parseJson<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new Error(`${path} is damaged; restore it, or delete the local data folder to start empty`, { cause })
  }
}

/**
 * The folder or file of a caller's name. Plain names stay readable; every other (dots, slashes, letters beyond ASCII, long ones)
 * becomes its hash, so no name can leave its folder, be reserved or be too long. The name itself stands inside the file.
 */
export function fileNameOf(name: string): string {
  if (/^[a-z0-9_][a-z0-9_-]{0,99}$/.test(name)) return name
  return `%${createHash('sha256').update(name).digest('hex')}`
}

/** Removes a folder so that after a crash it is there whole or not at all. `trash` must be on the same file system. */
export async function removeFolder(folder: string, trash: string): Promise<void> {
  const grave = join(trash, `${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`)
  await rename(folder, grave)
  await syncFolder(dirname(folder))
  await rm(grave, { recursive: true, force: true })
}
