import { AppError } from '../errors.ts'
import { accepted as acceptedAnswer, lines } from '../http/answer.ts'
import type { IncomingStream } from '../http/body.ts'
import { expected } from '../http/problems.ts'
import { type Route, type RouteGroup, route } from '../http/route.ts'
import type { JobSubmitter } from '../jobs/job.ts'
import { jobShown } from '../jobs/job-presenter.ts'
import { jobSchema } from '../jobs/job-schema.ts'
import { type FailedAnswer, type ImportAnswer, isEnd, lineProblem } from './import-answer.ts'
import { importAnswer, importBodies } from './import-examples.ts'
import type { ImportJobInput } from './import-job.ts'
import { IMPORT_RESOURCES, type ImportOptions, type ImportResource, type ImportRunner } from './import-run.ts'
import { importAnswerSchema, importQuery } from './import-schema.ts'
import { importTargets } from './import-target.ts'
import type { ImportFormat } from './input.ts'

const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json'
const FORMATS: Readonly<Record<string, ImportFormat>> = { [NDJSON]: 'ndjson', 'text/csv': 'csv', [JSON_TYPE]: 'json' }
const MAX_BODY_BYTES = 1024 ** 3

export function importRoutes(imports: ImportRunner, jobs: JobSubmitter): RouteGroup {
  return { routes: IMPORT_RESOURCES.map((resource) => importRoute(imports, jobs, resource)) }
}

function importRoute(imports: ImportRunner, jobs: JobSubmitter, resource: ImportResource): Route {
  const { scope, keys, personal } = importTargets[resource]
  return route<undefined, ImportOptions, IncomingStream>({
    operation: `import${resource.charAt(0).toUpperCase()}${resource.slice(1)}`,
    method: 'post',
    path: `/v1/imports/${resource}`,
    tag: 'imports',
    summary: `Bring ${resource === 'library' ? 'entries of libraries' : resource} in, line by line`,
    description:
      'Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is ' +
      'committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null ' +
      'empties. Read the answer while you send: the input is taken only as fast as the answer.\n\n' +
      'A last line _end of an export is checked: its rows and its SHA-256 over all bytes before it. Lines that are in by then ' +
      'stay, and the totals count the error; with atomic nothing stays. A JSON array is read to its end before its first element ' +
      'is looked at.\n\n' +
      'A dry run undoes each batch of 500 lines. Later batches see the unique keys that earlier lines would have taken, but not ' +
      'those that they would have given up, nor that an owner whom an earlier line disables no longer counts for a studio; with ' +
      'atomic, all lines are judged together.' +
      (personal === undefined
        ? ''
        : ` It needs the scope \`${personal}\`, since it tells whether a value is the stored one.`) +
      '\n\n' +
      'With Prefer: respond-async the answer is a job; this answer is its result, and its refused lines are its errors. A job ' +
      'whose process dies begins anew: lines that are in answer unchanged, or, with mode=create, as taken.',
    access: ['imports:write', scope],
    refusedHeaders: { 'Idempotency-Key': 'An import is safe to repeat as it is: lines that are in answer unchanged' },
    bulk: true,
    asJob: true,
    query: importQuery(keys),
    body: {
      kind: 'stream',
      types: Object.keys(FORMATS),
      maxBytes: MAX_BODY_BYTES,
      description:
        'One JSON object a line, CSV with a header of paths, or a JSON array of at most 1000 objects; a line or an element may have 64 KB',
      examples: importBodies(resource),
    },
    produces: [NDJSON, JSON_TYPE],
    answers: {
      200: { description: 'One line for each line', schema: importAnswerSchema, type: NDJSON, example: importAnswer },
      202: {
        description: 'After Prefer: respond-async, the job',
        schema: jobSchema,
        type: JSON_TYPE,
        headers: { Location: 'The job', 'Preference-Applied': 'respond-async', 'Retry-After': 'Seconds' },
      },
    },
    problems: [
      'invalid-parameter',
      'malformed-header',
      'malformed-input',
      'malformed-json',
      'validation',
      'unavailable',
    ],
    async handle({ query, body, context, accepted, wantsJob, signal }) {
      const format = FORMATS[body.type] ?? 'ndjson'
      if (wantsJob) {
        imports.requireAllowed(resource, query, context)
        const input: ImportJobInput = { resource, format, options: query }
        const job = await jobs.submit('import', input, context, body.stream)
        const headers = { 'Preference-Applied': 'respond-async', 'Retry-After': '2' }
        return acceptedAnswer(`/v1/jobs/${job.id}`, jobShown(job, context), headers)
      }
      if (accepted !== NDJSON) throw new AppError('not-acceptable', `Only a job is answered as JSON; this is ${NDJSON}`)
      const answers = imports.run(resource, { format, chunks: body.stream }, query, context, signal)
      // What goes wrong before the first answer is still a plain problem with a status of its own.
      return lines(continued(await answers.next(), answers))
    },
  })
}

type Answers = ReturnType<ImportRunner['run']>

/** The answers from the first one on. A failure in the middle becomes a last line: the status is long sent. */
async function* continued(
  first: IteratorResult<readonly ImportAnswer[]>,
  rest: Answers,
): AsyncGenerator<readonly (ImportAnswer | FailedAnswer)[]> {
  const totals = { lines: 0, created: 0, updated: 0, unchanged: 0, errors: 0 }
  const counted = (answers: readonly ImportAnswer[]) => {
    for (const answer of answers) {
      if (isEnd(answer)) continue
      totals.lines++
      totals[answer.status === 'error' ? 'errors' : answer.status]++
    }
    return answers
  }
  try {
    if (!first.done) yield counted(first.value)
    for await (const answers of rest) yield counted(answers)
  } catch (error) {
    yield [{ _problem: lineProblem(expected(error)), totals }]
  } finally {
    await rest.return()
  }
}
