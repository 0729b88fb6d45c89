import { createHash } from 'node:crypto'
import { ConstraintError } from '../database/constraint-errors.ts'
import type { Database, RawClient } from '../database/database.ts'
import { AppError } from '../errors.ts'
import { newId } from '../identifier.ts'
import type { JobFile, JobFileFacts } from './job.ts'

/** Files of jobs: rows of at most 1 MiB, so that neither side ever holds more than one of them. */
export const CHUNK_BYTES = 1024 * 1024

export type FileRole = 'body' | 'result' | 'part'

export interface FilePlace {
  /** Undefined: the job is not submitted yet. */
  readonly jobId: string | undefined
  readonly attempt: number
  readonly role: FileRole
  readonly number: number
}

/** Facts of a file that is whole. */
export interface StoredFile extends JobFileFacts {
  readonly id: string
  readonly bytes: number
  readonly sha256: string
}

interface FileRow {
  readonly id: string
  readonly name: string
  readonly media_type: string
  readonly bytes: string
  readonly sha256: string
}

/** The attempt was overtaken, or its job has ended or was forgotten: what it would write does not count. */
export class OvertakenError extends Error {
  override readonly name: string = 'OvertakenError'

  constructor() {
    super('another process has taken the job over')
  }
}

/**
 * SQL: the job, if it runs and this attempt counts. The lock has the next attempt wait for whoever asks, whose row it then sees
 * and deletes; without it a row of a late attempt could outlive that.
 */
export const runningAttempt = (id: string, attempt: string): string =>
  `SELECT 1 FROM job WHERE id = ${id}::uuid AND attempt = ${attempt}::int AND state = 'running' FOR SHARE`

/** Begins a file. @throws OvertakenError */
export async function createFile(
  database: Database,
  place: FilePlace,
  facts: JobFileFacts,
): Promise<JobFile & { readonly id: string }> {
  const id = newId()
  const { jobId, attempt, role, number } = place
  const { rowCount } = await database.withClient((client) =>
    client.query(
      `INSERT INTO job_file (id, job_id, attempt, role, number, name, media_type)
       SELECT $1, $2, $3, $4, $5, $6, $7
       WHERE $2::uuid IS NULL OR EXISTS (${runningAttempt('$2', '$3')})`,
      [id, jobId ?? null, attempt, role, number, facts.name, facts.type],
    ),
  )
  if (rowCount !== 1) throw new OvertakenError()
  return fileWriter(database, id)
}

function fileWriter(database: Database, id: string): JobFile & { readonly id: string } {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let filled = 0
  let chunks = 0
  let bytes = 0
  async function flush(): Promise<void> {
    if (filled === 0) return
    // The buffer is written again only when this statement has ended.
    const content = chunk.subarray(0, filled)
    await database
      .withClient((client) => client.query('INSERT INTO job_chunk VALUES ($1, $2, $3)', [id, chunks, content]))
      .catch(overtakenIfGone)
    chunks++
    filled = 0
  }
  return {
    id,
    async write(given) {
      const data = typeof given === 'string' ? Buffer.from(given) : given
      hash.update(data)
      bytes += data.length
      for (let from = 0; from < data.length; ) {
        const taken = Math.min(CHUNK_BYTES - filled, data.length - from)
        chunk.set(data.subarray(from, from + taken), filled)
        filled += taken
        from += taken
        if (filled === CHUNK_BYTES) await flush()
      }
    },
    async end() {
      await flush()
      const sha256 = hash.digest('hex')
      const { rowCount } = await database.withClient((client) =>
        client.query('UPDATE job_file SET bytes = $2, sha256 = $3 WHERE id = $1', [id, bytes, sha256]),
      )
      if (rowCount !== 1) throw new OvertakenError()
      return { bytes, sha256 }
    },
  }
}

/** The next attempt deletes the files of the one before. */
function overtakenIfGone(error: unknown): never {
  if (error instanceof ConstraintError && error.kind === 'foreign-key') throw new OvertakenError()
  throw error
}

export async function attachBody(client: RawClient, fileId: string, jobId: string): Promise<void> {
  await client.query('UPDATE job_file SET job_id = $2 WHERE id = $1', [fileId, jobId])
}

export async function dropFile(database: Database, fileId: string): Promise<void> {
  await database.withClient((client) => client.query('DELETE FROM job_file WHERE id = $1', [fileId]))
}

/** The rest of this transaction may delete files of many gigabytes. */
export async function allowLargeDelete(client: RawClient): Promise<void> {
  await client.query('SET LOCAL statement_timeout = 1800000')
}

/** A whole file of a job: its body, its result, or a part of it. */
export async function findFile(
  database: Database,
  jobId: string,
  role: FileRole,
  number = 0,
): Promise<StoredFile | undefined> {
  const { rows } = await database.withClient((client) =>
    client.query<FileRow>(
      `SELECT id, name, media_type, bytes, sha256 FROM job_file
       WHERE job_id = $1 AND role = $2 AND number = $3 AND bytes IS NOT NULL ORDER BY attempt DESC LIMIT 1`,
      [jobId, role, number],
    ),
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const { id, name, sha256 } = row
  return { id, name, type: row.media_type, bytes: Number(row.bytes), sha256 }
}

/** The bytes of a file, chunk by chunk; no connection is held between two of them. @throws AppError `not-found` when it goes meanwhile */
export async function* readFile(database: Database, file: StoredFile): AsyncGenerator<Uint8Array> {
  let read = 0
  for (let number = 0; read < file.bytes; number++) {
    const { rows } = await database.withClient((client) =>
      client.query<{ content: Buffer }>('SELECT content FROM job_chunk WHERE file_id = $1 AND number = $2', [
        file.id,
        number,
      ]),
    )
    const content = rows[0]?.content
    if (content === undefined) throw new AppError('not-found', 'The file was deleted while it was being read')
    read += content.length
    yield content
  }
}
