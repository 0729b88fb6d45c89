import { z } from 'zod'
import { problemSchema } from '../http/about-schema.ts'
import { invalidCursor } from '../http/cursor.ts'
import { plainQuery } from '../http/query.ts'
import { JOB_KEPT_DAYS, JOB_KINDS, JOB_STATES, MAX_JOB_ERROR_LINES } from './job.ts'

const instant = z.iso.datetime()

export const jobSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(JOB_KINDS).meta({ example: 'export' }),
    resource: z.string().meta({ description: 'What is imported or exported', example: 'players' }),
    state: z.enum(JOB_STATES).meta({ example: 'running' }),
    callerType: z.enum(['api_key', 'user', 'system']),
    callerId: z.string().meta({ description: 'Who submitted it', example: 'k3v9x0m2q7ab' }),
    requestId: z.string().meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11' }),
    progressDone: z.int().meta({ description: 'Lines or rows so far', example: 48000 }),
    progressTotal: z.int().nullable().meta({ description: 'Of so many, where that is known', example: 120000 }),
    errorLines: z.int().meta({
      description: `Lines that went wrong; the first ${MAX_JOB_ERROR_LINES} are kept`,
      example: 0,
    }),
    summary: z.record(z.string(), z.unknown()).nullable().meta({
      description: 'What was done, once the job has ended: the totals of an import or export',
      example: null,
    }),
    problem: problemSchema.nullable().meta({ description: 'Why the job failed', example: null }),
    createdAt: instant,
    startedAt: instant.nullable(),
    cancelRequestedAt: instant.nullable().meta({ example: null }),
    finishedAt: instant.nullable().meta({ example: null }),
    expiresAt: instant.nullable().meta({
      description: `When the job and its result are forgotten: ${JOB_KEPT_DAYS} days after its end`,
      example: null,
    }),
  })
  .meta({ id: 'Job' })

export const jobParam = z
  .uuid()
  .transform((id) => id.toLowerCase())
  .meta({ description: 'The id of the job' })
export const jobParams = z.strictObject({ id: jobParam })

export const partParams = z.strictObject({
  id: jobParam,
  part: z
    .string()
    .regex(/^[1-9]\d{0,4}$/)
    .meta({ description: 'The number of a part, from 1', example: '1' })
    .transform(Number),
})

/** The result of an export. */
export const manifestSchema = z
  .object({
    resource: z.string().meta({ example: 'players' }),
    format: z.enum(['ndjson', 'csv']),
    rows: z.int().meta({ example: 48211 }),
    parts: z.array(
      z.object({
        number: z.int().meta({ example: 1 }),
        href: z.string().meta({ example: '/v1/jobs/0193b3f0-5b7e-7c1d-9a55-0e7c0f3d2b11/result/parts/1' }),
        name: z.string().meta({ example: 'players-00001.ndjson' }),
        type: z.string().meta({ example: 'application/x-ndjson' }),
        rows: z.int().meta({ example: 48211 }),
        bytes: z.int().meta({ example: 9642200 }),
        sha256: z.string().meta({
          description: 'Of the part as it is sent, in hex',
          example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        }),
      }),
    ),
  })
  .meta({
    id: 'ExportManifest',
    description: 'What an export consists of; each part is an export of its own, with its end line',
  })

export const errorLineSchema = z.looseObject({}).meta({
  id: 'JobErrorLine',
  description: 'A line that went wrong, as the answer of an import tells it; never its content',
  example: { line: 2, status: 'error', problem: { code: 'validation', status: 422 } },
})

export const errorPageSchema = z
  .object({
    data: z.array(errorLineSchema),
    page: z.object({
      limit: z.int().meta({ example: 100 }),
      hasMore: z.boolean().meta({ example: false }),
      next: z.string().nullable().meta({ description: 'The cursor of the next page', example: null }),
      prev: z.null(),
    }),
  })
  .meta({ id: 'JobErrorPage' })

const MAX_ERRORS_A_PAGE = 1000
const wholeNumber = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform(Number)

const plainErrorsQuery = plainQuery(
  z.strictObject({
    limit: wholeNumber.pipe(z.int().min(1).max(MAX_ERRORS_A_PAGE)).default(100),
    cursor: wholeNumber.default(0),
  }),
  [
    {
      name: 'limit',
      description: 'Lines a page',
      schema: { type: 'integer', minimum: 1, maximum: MAX_ERRORS_A_PAGE, default: 100 },
    },
    {
      name: 'cursor',
      description: 'page.next of an earlier answer',
      schema: { type: 'string', pattern: '^\\d{1,6}$' },
    },
  ],
)

/** As every list: a cursor that it did not make is told as such. */
export const errorsQuery: typeof plainErrorsQuery = {
  ...plainErrorsQuery,
  read(entries, context) {
    const cursor = entries.find(({ parameter }) => parameter === 'cursor')
    if (cursor !== undefined && !wholeNumber.safeParse(cursor.value).success) throw invalidCursor()
    return plainErrorsQuery.read(entries, context)
  },
}
