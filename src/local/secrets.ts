import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Keys of the embedded default, made once per data folder and kept in files that only their owner can read. In production they
 * come from the secret store through the environment; a missing one stops the start there.
 */

const NAMES = ['API_KEY_PEPPER', 'CURSOR_KEY', 'LAKE_PSEUDONYM_KEY'] as const
export type SecretName = (typeof NAMES)[number]

/** Writes a file that only its owner can read, whole or not at all. */
export function writePrivateFile(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}

export function readPrivateFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The folder's secrets, 32 random bytes each as 64 hex digits; made where they are missing. */
export function localSecrets(dir: string): Record<SecretName, string> {
  const file = path.join(dir, 'secrets.json')
  const known = JSON.parse(readPrivateFile(file) ?? '{}') as Partial<Record<SecretName, string>>
  const complete = Object.fromEntries(
    NAMES.map((name) => [name, known[name] ?? randomBytes(32).toString('hex')]),
  ) as Record<SecretName, string>
  if (NAMES.some((name) => known[name] === undefined)) writePrivateFile(file, `${JSON.stringify(complete, null, 2)}\n`)
  return complete
}

/** The admin key of the first start, so that `rocketgames env` can print it; the database has its hash only. */
export const bootstrapKeyFile = (dir: string): string => path.join(dir, 'bootstrap-api-key')
