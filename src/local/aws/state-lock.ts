import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UsageError } from '../../errors.ts'

/**
 * One process a folder. The lock is the operating system's, on the file `aws.lock` (taken through SQLite, as Node offers no
 * file lock of its own): it ends with its process however that dies, a zombie holds none, and two processes cannot both
 * find it stale. `aws.pid` beside it only tells whom to name.
 *
 * @throws UsageError when another process holds the folder.
 */
export function lockState(dir: string): { release(): void } {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const pidFile = join(dir, 'aws.pid')
  const lock = new DatabaseSync(join(dir, 'aws.lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!/locked|busy/i.test((error as Error).message)) throw error
    throw new UsageError(
      `Another local AWS endpoint (process ${readPid(pidFile)}) already works on ${dir}: stop it, or set LOCAL_DATA_DIR to another folder.`,
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return { release: () => lock.close() }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown'
  } catch {
    return 'unknown'
  }
}
