import { ExampleComposer } from './example-composer.ts'
import { problemCodes } from './openapi-problems.ts'
import { commonProblem, isOperationsOwn, problemOfOperation } from './problem-examples.ts'
import { PROBLEMS } from './problems.ts'
import type { AnswerDoc, Route } from './route.ts'

/** An example for each request, each answer and each problem of the API document. */

interface Media {
  schema?: Record<string, unknown>
  example?: unknown
  examples?: Record<string, unknown>
}

interface Operation {
  readonly parameters?: { readonly in?: string; readonly name?: string; schema?: object; example?: unknown }[]
  readonly requestBody?: { readonly content: Record<string, Media> }
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>
}

/** `paths` of the document. */
export type Operations = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface Document {
  readonly paths: Operations
  readonly components: Record<string, unknown> & { readonly schemas?: Readonly<Record<string, unknown>> }
}

export const NDJSON = 'application/x-ndjson'
const PROBLEM = 'application/problem+json'

/** Completes the document in place. */
export function addExamples(document: Document, routes: readonly Route[]): void {
  const composer = new ExampleComposer(document.components.schemas ?? {})
  const codes = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]
  document.components.examples = Object.fromEntries(
    codes.map((code) => [code, { summary: PROBLEMS[code].title, value: commonProblem(code) }]),
  )
  for (const route of routes) {
    const operation = document.paths[route.path]?.[route.method] as Operation
    const instance = addParameters(route, operation, composer)
    addRequest(route, operation, composer)
    for (const [status, answer] of Object.entries(route.answers)) {
      addAnswer(answer, operation.responses[status]?.content ?? {}, composer)
    }
    addProblems(route, operation, instance)
  }
}

/** Gives path parameters and required ones an example; answers with the path that they make. */
function addParameters(route: Route, operation: Operation, composer: ExampleComposer): string {
  let path = route.path
  for (const parameter of operation.parameters ?? []) {
    if (parameter.in !== 'path' || parameter.name === undefined) continue
    const { name } = parameter
    const wrapped = { type: 'object', properties: { [name]: parameter.schema ?? {} } }
    const example = (composer.compose(wrapped) as Record<string, unknown>)[name]
    if (example === undefined) continue
    parameter.example = example
    path = path.replace(`{${name}}`, String(example))
  }
  return path
}

function addRequest(route: Route, operation: Operation, composer: ExampleComposer): void {
  for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) {
    const streamed = route.body?.kind === 'stream' ? route.body.examples?.[type] : undefined
    setExample(media, streamed ?? route.example ?? composer.compose(media.schema))
  }
}

function addAnswer(answer: AnswerDoc, content: Record<string, Media>, composer: ExampleComposer): void {
  for (const [type, media] of Object.entries(content)) {
    const more = answer.also?.[type]
    const own = more === undefined ? answer.example : more.example
    if (type === NDJSON) asLines(media, own, composer)
    else setExample(media, own ?? composer.compose(media.schema))
  }
}

/** OpenAPI 3.1 has no schema for the items of a stream: the body is text, and `x-line-schema` tells of a line. */
function asLines(media: Media, example: unknown, composer: ExampleComposer): void {
  const line = media.schema ?? {}
  const lines = () => composer.alternatives(line).map((each) => `${JSON.stringify(each)}\n`)
  media.schema = { type: 'string', description: 'NDJSON: one JSON object a line', 'x-line-schema': line }
  setExample(media, example ?? lines().join(''))
}

function setExample(media: Media, example: unknown): void {
  if (example !== undefined) media.example = example
}

function addProblems(route: Route, operation: Operation, instance: string): void {
  for (const code of problemCodes(route)) {
    const media = operation.responses[PROBLEMS[code].status]?.content?.[PROBLEM]
    if (media === undefined) continue
    media.examples ??= {}
    media.examples[code] = isOperationsOwn(code)
      ? { summary: PROBLEMS[code].title, value: problemOfOperation(code, route, instance) }
      : { $ref: `#/components/examples/${code}` }
  }
}
