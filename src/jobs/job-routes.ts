import { z } from 'zod'
import type { Context } from '../caller.ts'
import type { ErrorCode } from '../errors.ts'
import { type Answer, lines, ok, pieces } from '../http/answer.ts'
import { listRoute } from '../http/list-route.ts'
import { type Route, type RouteGroup, route } from '../http/route.ts'
import { isFinished, type Job } from './job.ts'
import { jobList } from './job-list.ts'
import { jobShown, RETRY_AFTER } from './job-presenter.ts'
import {
  errorLineSchema,
  errorPageSchema,
  errorsQuery,
  jobParams,
  jobSchema,
  manifestSchema,
  partParams,
} from './job-schema.ts'
import type { JobDownload, JobService } from './job-service.ts'

const tag = 'jobs'
const NDJSON = 'application/x-ndjson'

export function jobRoutes(jobs: JobService): RouteGroup {
  return {
    routes: [...readingRoutes(jobs), errorsRoute(jobs), ...resultRoutes(jobs)],
    refusals: [
      {
        method: 'delete',
        path: '/v1/jobs/{id}',
        advice: 'A job is forgotten by itself; POST /v1/jobs/{id}/cancel ends one that waits or runs.',
      },
    ],
  }
}

function readingRoutes(jobs: JobService): Route[] {
  const answers = {
    200: { description: 'The job', schema: jobSchema, headers: { 'Retry-After': 'Seconds, while it has not ended' } },
  }
  return [
    listRoute({
      operation: 'listJobs',
      path: '/v1/jobs',
      tag,
      summary: 'Imports and exports that wait, run or have ended',
      description: 'Your own; with the scope keys:manage those of everybody.',
      access: 'key',
      list: jobList,
      row: jobSchema,
      page: (request, _params, context) => jobs.list(request, context),
      present: jobShown,
    }),
    route({
      operation: 'getJob',
      method: 'get',
      path: '/v1/jobs/{id}',
      tag,
      summary: 'How far a job is, and what became of it',
      access: 'key',
      params: jobParams,
      answers,
      problems: ['not-found'],
      handle: async ({ params, context }) => single(await jobs.get(params.id, context), context),
    }),
    route({
      operation: 'cancelJob',
      method: 'post',
      path: '/v1/jobs/{id}/cancel',
      tag,
      summary: 'End a job before it is done',
      description:
        'One that waits ends at once, one that runs within seconds. What an import has brought in stays. A job that has ended ' +
        'is answered as it is.',
      access: 'key',
      params: jobParams,
      answers,
      problems: ['not-found'],
      handle: async ({ params, context }) => single(await jobs.cancel(params.id, context), context),
    }),
  ]
}

function errorsRoute(jobs: JobService): Route {
  return route({
    operation: 'listJobErrors',
    method: 'get',
    path: '/v1/jobs/{id}/errors',
    tag,
    summary: 'The lines that went wrong',
    description: `Page by page, or all of them as ${NDJSON}; also while the job runs.`,
    access: 'key',
    params: jobParams,
    query: errorsQuery,
    produces: ['application/json', NDJSON],
    answers: {
      200: { description: 'A page', schema: errorPageSchema, also: { [NDJSON]: { schema: errorLineSchema } } },
    },
    problems: ['not-found'],
    async handle({ params, query, accepted, context }) {
      if (accepted === NDJSON) return lines(await jobs.allErrors(params.id, context))
      const found = await jobs.errors(params.id, query.cursor, query.limit + 1, context)
      const shownLines = found.slice(0, query.limit)
      const next = found.length > query.limit ? String(shownLines.at(-1)?.number) : null
      const page = { limit: query.limit, hasMore: next !== null, next, prev: null }
      return ok({ data: shownLines.map(({ line }) => line), page })
    },
  })
}

function resultRoutes(jobs: JobService): Route[] {
  const about = {
    method: 'get',
    tag,
    access: 'key',
    produces: ['application/json', NDJSON, 'text/csv', 'application/gzip'],
    answers: {
      200: {
        description: 'The file',
        headers: { 'Content-Disposition': 'A name for it', 'Repr-Digest': 'Its SHA-256 (RFC 9530)' },
        schema: manifestSchema,
        also: {
          [NDJSON]: { schema: z.looseObject({}), example: '{"line":1,"status":"created","id":"…","version":1}\n' },
          'text/csv': { example: 'id,slug\r\n' },
          'application/gzip': { schema: z.string().meta({ format: 'binary' }), example: '' },
        },
      },
      303: {
        description: 'The job has not ended',
        headers: { Location: 'Where the job is', 'Retry-After': 'Seconds until it is worth asking again' },
      },
    },
    problems: ['forbidden', 'not-found'] satisfies ErrorCode[],
  } as const
  const unfinished =
    'Until the job has ended there is nothing to send, and the answer is 303 to the job. The answer has the media type that the ' +
    'result was written in. That of somebody else’s job takes, beside keys:manage, every read scope that its submitter had.'
  return [
    route({
      ...about,
      operation: 'getJobResult',
      path: '/v1/jobs/{id}/result',
      summary: 'The result of a job',
      description: `Of an import its answer, line by line; of an export the manifest of its parts. ${unfinished}`,
      params: jobParams,
      handle: async ({ params: { id }, context }) => file(id, await jobs.download(id, undefined, context)),
    }),
    route({
      ...about,
      operation: 'getJobResultPart',
      path: '/v1/jobs/{id}/result/parts/{part}',
      summary: 'A part of the result of an export',
      description: unfinished,
      params: partParams,
      handle: async ({ params: { id, part }, context }) => file(id, await jobs.download(id, part, context)),
    }),
  ]
}

function single(job: Job, context: Context): Answer {
  return ok(jobShown(job, context), isFinished(job.state) ? {} : { headers: RETRY_AFTER })
}

function file(id: string, download: JobDownload | undefined): Answer {
  if (download === undefined) {
    return { kind: 'empty', status: 303, headers: { Location: `/v1/jobs/${id}`, ...RETRY_AFTER } }
  }
  const { file, bytes } = download
  return pieces(file.type, bytes, {
    headers: {
      'Content-Length': String(file.bytes),
      'Content-Disposition': `attachment; filename="${file.name}"`,
      'Repr-Digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
    },
  })
}
