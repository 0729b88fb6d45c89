import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../errors.ts'
import { identify, isStillRunning, type ProcessIdentity } from './process-identity.ts'

export interface FolderLock {
  /** Gives the folder back; safe to call twice. */
  release(): Promise<void>
}

interface Claim extends ProcessIdentity {
  readonly what: string
}

const CLAIM_FILE = /^lock-[0-9a-f-]{36}\.json$/
const ATTEMPTS = 8

/** Undefined when it is damaged: a process writes it whole, so a power cut did that, and the process is gone too. */
function readClaim(text: string): Claim | undefined {
  try {
    return JSON.parse(text) as Claim
  } catch {
    return undefined
  }
}

/** Files of others whose process still runs. Those of dead processes are removed: each belongs to nobody else. */
async function otherClaims(dir: string, own: string): Promise<(Claim & { file: string })[]> {
  const files = (await readdir(dir)).filter((file) => CLAIM_FILE.test(file) && file !== own)
  const claims = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(dir, file), 'utf8').catch(() => undefined)
      if (text === undefined) return undefined
      const claim = readClaim(text)
      if (claim !== undefined && isStillRunning(claim)) return { ...claim, file }
      await rm(path.join(dir, file), { force: true })
      return undefined
    }),
  )
  return claims.filter((claim) => claim !== undefined)
}

/** Does a process that still runs have the folder? */
export async function isFolderInUse(dir: string): Promise<boolean> {
  return (await otherClaims(dir, '')).length > 0
}

/**
 * Makes this process the only one that works in `dir` (created if missing) until `release()` or its end, also by `kill -9`.
 * `what` names the work for the sentence that the second one gets.
 *
 * Everybody first puts a file of their own there and then looks for others. Of two who come at the same moment at least one
 * sees the other and withdraws, so never two believe they have it; if both withdraw they try again. No file is ever taken
 * over, which is where lock files usually go wrong.
 *
 * Throws `UsageError` if somebody else has the folder, in this process too.
 */
export async function lockFolder(dir: string, what: string): Promise<FolderLock> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const own = `lock-${randomUUID()}.json`
  const ownFile = path.join(dir, own)
  const claim: Claim = { what, ...identify() }
  for (let attempt = 1; ; attempt++) {
    // Written elsewhere first: under its name the file is always whole.
    await writeFile(`${ownFile}.new`, JSON.stringify(claim), { mode: 0o600 })
    await rename(`${ownFile}.new`, ownFile)
    const [other] = await otherClaims(dir, own)
    if (!other) return { release: () => rm(ownFile, { force: true }) }
    await rm(ownFile, { force: true })
    if (attempt === ATTEMPTS) {
      throw new UsageError(
        `${dir} is in use by ${other.what} (process ${other.pid}). Stop that one, or set LOCAL_DATA_DIR to another folder. ` +
          `If that process ran in another container and is gone, remove ${path.join(dir, other.file)}`,
      )
    }
    await sleep(5 + Math.random() * 20 * attempt)
  }
}
