import { randomBytes, randomUUID } from 'node:crypto'
import { systemContext } from '../../src/caller.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { isFinished, type Job, type JobHandler, type JobInput, type JobWork } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/job-queue.ts'
import { JobService } from '../../src/jobs/job-service.ts'
import { JobWorker } from '../../src/jobs/job-worker.ts'
import { createTestDatabase } from '../support/database.ts'

/** What a process has of the jobs: its own connections, queue and worker. */
export interface JobProcess {
  readonly database: Database
  readonly queue: JobQueue
  readonly jobs: JobService
  readonly worker: JobWorker
  close(): Promise<void>
}

export type Work = (work: JobWork) => ReturnType<JobHandler['run']>

export function jobProcess(url: string, run: Work = async () => ({})): JobProcess {
  const database = openDatabase({ url, poolSize: 6 })
  const queue = new JobQueue({ database })
  const worker = new JobWorker({ database, queue, handlers: [{ kind: 'export', run }] })
  return {
    database,
    queue,
    worker,
    jobs: new JobService(database, queue),
    async close() {
      await worker.close()
      await database.close()
    },
  }
}

export interface JobBench {
  readonly url: string
  /** Another process, on the same database. `url`: its own way there. */
  open(run?: Work, url?: string): JobProcess
  /** Closes everything that was opened. */
  close(): Promise<void>
}

export async function createJobBench(): Promise<JobBench> {
  const testDatabase = await createTestDatabase()
  const opened: JobProcess[] = []
  return {
    url: testDatabase.url,
    open(run, url = testDatabase.url) {
      const made = jobProcess(url, run)
      opened.push(made)
      return made
    },
    async close() {
      for (const each of opened.splice(0)) await each.close()
      await testDatabase.drop()
    },
  }
}

export const context = systemContext('tester', randomUUID())

/** Somebody else, without any scope. */
export const stranger = {
  principal: { type: 'api_key', id: 'stranger', name: 'stranger', scopes: new Set<never>(), expiresAt: null },
  requestId: randomUUID(),
} as const

export const input: JobInput = { resource: 'players' }

/** Polls until it holds: the queue itself is asked once a second. */
export async function until<T>(what: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await what()
    if (found !== undefined && found !== false) return found as T
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function ended({ jobs }: JobProcess, id: string): Promise<Job> {
  return until(async () => {
    const job = await jobs.get(id, context)
    return isFinished(job.state) && job
  })
}

export async function resultOf({ jobs }: JobProcess, id: string, part?: number): Promise<Buffer> {
  const download = await jobs.download(id, part, context)
  if (download === undefined) throw new Error('the job has not ended')
  const pieces: Uint8Array[] = []
  for await (const piece of download.bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

export const someBytes = (length: number) => randomBytes(length)
