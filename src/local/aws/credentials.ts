import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../errors.ts'

const shape = z.object({
  accessKeyId: z.string().min(4),
  secretAccessKey: z.string().min(16),
  region: z.string().min(1),
})

export type LocalCredentials = z.infer<typeof shape>

export const CREDENTIALS_FILE = 'aws-credentials.json'
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * The folder's credentials: made at random the first time, kept in a file only its owner may read.
 *
 * @throws UsageError when the file is there and cannot be used.
 */
export function openCredentials(dir: string): LocalCredentials {
  const path = join(dir, CREDENTIALS_FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return create(path)
  }
  const parsed = shape.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new UsageError(
      `${path} does not hold accessKeyId, secretAccessKey and region: remove it, and new ones are made.`,
    )
  }
  return parsed.data
}

function create(path: string): LocalCredentials {
  const credentials: LocalCredentials = {
    accessKeyId: `LKIA${[...randomBytes(16)].map((byte) => BASE32[byte % 32]).join('')}`,
    secretAccessKey: randomBytes(30).toString('base64'),
    region: 'us-east-1',
  }
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(credentials, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  return credentials
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
