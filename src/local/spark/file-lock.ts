import { open, readFile, rm, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../process-identity.ts'

const LOCK_POLL_MS = 100
/** More than all that is done under a lock: whatever process has its number by now, it is not the one that took it. */
const LOCK_STALE_MS = 30 * 60_000

async function isLeft(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''))
  // An empty file is one that its owner is about to write.
  if (owner > 0 && !isAlive(owner)) return true
  const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }))
  return Date.now() - mtimeMs > LOCK_STALE_MS
}

/** Runs `work` while no other process does, for the same file; others wait. A lock whose process is gone is taken over. */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (await isLeft(file)) await rm(file, { force: true })
      else await delay(LOCK_POLL_MS)
    }
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}
