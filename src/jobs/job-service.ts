import type { Context, Principal } from '../caller.ts'
import type { Database, RawClient } from '../database/database.ts'
import { AppError } from '../errors.ts'
import { newId } from '../identifier.ts'
import type { ListRequest, Page } from '../list.ts'
import { isFinished, type Job, type JobInput, type JobKind, type JobSubmitter } from './job.ts'
import { type ErrorLine, listErrors } from './job-error-store.ts'
import { attachBody, createFile, dropFile, findFile, readFile, type StoredFile } from './job-file-store.ts'
import type { JobQueue } from './job-queue.ts'
import { countUnfinished, endJob, findJob, findReadScopes, insertJob, listJobs, requestCancel } from './job-store.ts'

/** Jobs of one caller that wait or run: more of them would only wait longer. */
const MAX_UNFINISHED = 100
const ERRORS_AT_ONCE = 1_000

/** A file of a job, and its bytes. */
export interface JobDownload {
  readonly file: StoredFile
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Jobs as their callers know them. Each sees its own; who manages keys sees all. */
export class JobService implements JobSubmitter {
  readonly #database: Database
  readonly #queue: JobQueue

  constructor(database: Database, queue: JobQueue) {
    this.#database = database
    this.#queue = queue
  }

  async submit<Input extends JobInput>(
    kind: JobKind,
    input: Input,
    context: Context,
    body?: AsyncIterable<Uint8Array>,
  ): Promise<Job> {
    const id = newId()
    // Asked again with the job: here it spares a caller sending a gigabyte in vain.
    if (body !== undefined) await this.#database.withClient((client) => requireRoom(client, context))
    const file = body === undefined ? undefined : await this.#store(body)
    try {
      return await this.#database.rawTransaction(async (client) => {
        await requireRoom(client, context)
        const job = await insertJob(client, { id, kind, input, context })
        if (file !== undefined) await attachBody(client, file, id)
        await this.#queue.send(client, id)
        return job
      })
    } catch (error) {
      if (file !== undefined) await this.#drop(file)
      throw error
    }
  }

  /** @throws AppError `not-found`, also for a job of somebody else */
  async get(id: string, { principal }: Context): Promise<Job> {
    const job = await findJob(this.#database, id)
    if (job === undefined || !mayRead(job, principal)) throw notFound()
    return job
  }

  list(request: ListRequest, { principal }: Context): Promise<Page<Job>> {
    return listJobs(this.#database, request, seesAll(principal) ? undefined : principal.id)
  }

  /**
   * Ends a job that waits at once; one that runs is told, and ends within seconds. What an import has brought in stays.
   *
   * @returns the job; one that has ended as it is
   * @throws AppError `not-found`
   */
  async cancel(id: string, context: Context): Promise<Job> {
    await this.get(id, context)
    await this.#database.rawTransaction(async (client) => {
      if ((await requestCancel(client, id)) !== 'queued') return
      await endJob(client, id, undefined, { state: 'cancelled' })
      await this.#queue.remove(client, id)
    })
    return this.get(id, context)
  }

  /** Error lines after the one with number `after`. @throws AppError `not-found` */
  async errors(id: string, after: number, limit: number, context: Context): Promise<readonly ErrorLine[]> {
    await this.get(id, context)
    return listErrors(this.#database, id, after, limit)
  }

  /** All error lines that are kept. @throws AppError `not-found` */
  async allErrors(id: string, context: Context): Promise<AsyncIterable<readonly ErrorLine['line'][]>> {
    await this.get(id, context)
    return errorBatches(this.#database, id)
  }

  /**
   * The result, or a part of it. That of somebody else's job takes what its submitter could read: managing keys is no way to
   * personal data.
   *
   * @returns undefined while the job has not ended
   * @throws AppError `not-found`: no such job, or it has ended without this file; `forbidden`
   */
  async download(id: string, part: number | undefined, context: Context): Promise<JobDownload | undefined> {
    const job = await this.get(id, context)
    const { principal } = context
    if (!isOwn(job, principal)) await this.#requireReadScopes(id, principal)
    if (!isFinished(job.state)) return undefined
    const role = part === undefined ? 'result' : 'part'
    const file = await findFile(this.#database, id, role, part)
    if (file === undefined) {
      throw new AppError('not-found', `The job is ${job.state} and has no such result; GET /v1/jobs/${id} tells more`)
    }
    return { file, bytes: readFile(this.#database, file) }
  }

  async #store(body: AsyncIterable<Uint8Array>): Promise<string> {
    const place = { jobId: undefined, attempt: 0, role: 'body', number: 0 } as const
    const file = await createFile(this.#database, place, { name: 'body', type: 'application/octet-stream' })
    try {
      for await (const piece of body) await file.write(piece)
      await file.end()
      return file.id
    } catch (error) {
      await this.#drop(file.id)
      throw error
    }
  }

  async #requireReadScopes(id: string, { scopes }: Principal): Promise<void> {
    const missing = (await findReadScopes(this.#database, id)).find((scope) => !scopes.has(scope))
    if (missing === undefined) return
    throw new AppError('forbidden', `The result of this job needs the scope ${missing}`, { extra: { scope: missing } })
  }

  /** What cannot be deleted now is found a day later. */
  async #drop(fileId: string): Promise<void> {
    await dropFile(this.#database, fileId).catch(() => undefined)
  }
}

async function* errorBatches(database: Database, id: string): AsyncGenerator<readonly ErrorLine['line'][]> {
  for (let after = 0; ; ) {
    const batch = await listErrors(database, id, after, ERRORS_AT_ONCE)
    if (batch.length === 0) return
    yield batch.map(({ line }) => line)
    after = batch.at(-1)?.number ?? after
  }
}

const isOwn = (job: Job, { id, type }: Principal) => job.callerId === id && job.callerType === type
const seesAll = (principal: Principal) => principal.scopes.has('keys:manage')

function mayRead(job: Job, principal: Principal): boolean {
  return seesAll(principal) || isOwn(job, principal)
}

function notFound(): AppError {
  return new AppError('not-found', 'There is no such job, or it was forgotten: a job is kept for 7 days after its end')
}

/** @throws AppError `quota-exceeded` */
async function requireRoom(client: RawClient, { principal }: Context): Promise<void> {
  if ((await countUnfinished(client, principal.id)) >= MAX_UNFINISHED) throw tooMany()
}

function tooMany(): AppError {
  return new AppError('quota-exceeded', `${MAX_UNFINISHED} jobs of this key have not ended; wait for one of them`, {
    extra: { 'violated-policies': ['jobs'] },
    headers: { 'Retry-After': '60' },
  })
}
