import { randomBytes, randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

/**
 * Keys of the embedded default, made once per data folder and kept in files that only their owner can read. In production they
 * come from the secret store through the environment; a missing one stops the start there.
 */

const NAMES = ['API_KEY_PEPPER', 'CURSOR_KEY', 'LAKE_PSEUDONYM_KEY'] as const
export type SecretName = (typeof NAMES)[number]

/** The text in a file of a random name beside `file`, on the disk, for its owner alone. */
function writeBeside(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true })
  const temporary = `${file}.${randomUUID()}.tmp`
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
  return temporary
}

/** Makes a name in the file's folder survive a power cut. */
function syncFolderOf(file: string): void {
  const folder = openSync(path.dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Writes a file that only its owner can read, whole or not at all. Durable when it returns. */
export function writePrivateFile(file: string, text: string): void {
  renameSync(writeBeside(file, text), file)
  syncFolderOf(file)
}

/** The same for a file that must not be there yet. False: another one was first, and its file stays. */
function createPrivateFile(file: string, text: string): boolean {
  const temporary = writeBeside(file, text)
  try {
    linkSync(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(temporary)
  }
  syncFolderOf(file)
  return true
}

export function readPrivateFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The folder's secrets, 32 random bytes each as 64 hex digits; made where they are missing. On the disk when it returns: what
 * the database keeps by them is worth nothing without. Two first starts at once get the same.
 */
export function localSecrets(dir: string): Record<SecretName, string> {
  const file = path.join(dir, 'secrets.json')
  const text = readPrivateFile(file)
  const known = JSON.parse(text ?? '{}') as Partial<Record<SecretName, string>>
  const complete = Object.fromEntries(
    NAMES.map((name) => [name, known[name] ?? randomBytes(32).toString('hex')]),
  ) as Record<SecretName, string>
  if (NAMES.every((name) => known[name] !== undefined)) return complete
  const json = `${JSON.stringify(complete, null, 2)}\n`
  if (text !== undefined) writePrivateFile(file, json)
  else if (!createPrivateFile(file, json)) return localSecrets(dir)
  return complete
}

/** The admin key of the first start, so that `rocketgames env` can print it; the database has its hash only. */
export const bootstrapKeyFile = (dir: string): string => path.join(dir, 'bootstrap-api-key')
