import { lines } from '../http/answer.ts'
import type { IncomingStream } from '../http/body.ts'
import { expected } from '../http/problems.ts'
import { type Route, type RouteGroup, route } from '../http/route.ts'
import { type ImportAnswer, type LineProblem, lineProblem } from './import-answer.ts'
import { importAnswer, importBodies } from './import-examples.ts'
import { IMPORT_RESOURCES, type ImportOptions, type ImportResource, type ImportRunner } from './import-run.ts'
import { importAnswerSchema, importQuery } from './import-schema.ts'
import { importTargets } from './import-target.ts'
import type { ImportFormat } from './input.ts'

const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json'
const FORMATS: Readonly<Record<string, ImportFormat>> = { [NDJSON]: 'ndjson', 'text/csv': 'csv', [JSON_TYPE]: 'json' }
const MAX_BODY_BYTES = 1024 ** 3

export function importRoutes(imports: ImportRunner): RouteGroup {
  return { routes: IMPORT_RESOURCES.map((resource) => importRoute(imports, resource)) }
}

function importRoute(imports: ImportRunner, resource: ImportResource): Route {
  const { scope, keys } = importTargets[resource]
  return route<undefined, ImportOptions, IncomingStream>({
    operation: `import${resource.charAt(0).toUpperCase()}${resource.slice(1)}`,
    method: 'post',
    path: `/v1/imports/${resource}`,
    tag: 'imports',
    summary: `Bring ${resource} in, line by line`,
    description:
      'Every line is answered by a line: created, updated, unchanged, or a problem that points into it. What is answered is ' +
      'committed. The last line is _end with the totals; an answer without it is cut off. Absent fields are not touched, null ' +
      'empties. Read the answer while you send: the input is taken only as fast as the answer.',
    access: ['imports:write', scope],
    refusedHeaders: { 'Idempotency-Key': 'An import is safe to repeat as it is: lines that are in answer unchanged' },
    bulk: true,
    query: importQuery(keys),
    body: {
      kind: 'stream',
      types: Object.keys(FORMATS),
      maxBytes: MAX_BODY_BYTES,
      description:
        'One JSON object a line, CSV with a header of paths, or a JSON array of at most 1000 objects; a line or an element may have 64 KB',
      examples: importBodies(resource),
    },
    produces: [NDJSON],
    answers: {
      200: { description: 'One line for each line', schema: importAnswerSchema, type: NDJSON, example: importAnswer },
    },
    problems: ['invalid-parameter', 'malformed-header', 'validation', 'unavailable'],
    async handle({ query, body, context, signal }) {
      const format = FORMATS[body.type] ?? 'ndjson'
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
): AsyncGenerator<readonly (ImportAnswer | { readonly _problem: LineProblem })[]> {
  try {
    if (!first.done) yield first.value
    yield* rest
  } catch (error) {
    yield [{ _problem: lineProblem(expected(error)) }]
  } finally {
    await rest.return()
  }
}
