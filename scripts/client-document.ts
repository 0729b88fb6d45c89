import { type ApiDocument, type Operation, parametersOf, type Response } from '../test/support/api-document.ts'

const PROBLEM = {
  description: 'What went wrong',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

/**
 * The API document as the client's types need it: one problem in place of every status above 399 - the client throws it - and no
 * examples.
 */
export function clientDocument(document: ApiDocument): object {
  const paths = mapValues(document.paths, (item) => mapValues(item, (operation) => reduced(document, operation)))
  const { schemas, parameters, headers } = document.components
  return {
    openapi: document.openapi,
    info: { title: 'client', version: '1' },
    paths,
    components: { schemas, parameters, headers },
  }
}

/** `post /v1/studios` for each operation that takes an Idempotency-Key. */
export function operationsWithKey(document: ApiDocument): string[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => parametersOf(document, operation).some(({ name }) => name === 'Idempotency-Key'))
      .map(([method]) => `${method} ${path}`),
  )
}

function reduced(document: ApiDocument, operation: Operation): object {
  const succeeding = Object.entries(operation.responses).filter(([status]) => Number(status) < 300)
  const responses = Object.fromEntries(succeeding.map(([status, response]) => [status, plain(document, response)]))
  const body = operation.requestBody
  return {
    ...operation,
    parameters: parametersOf(document, operation),
    ...(body === undefined
      ? {}
      : { requestBody: { ...body, content: mapValues(body.content, ({ schema }) => ({ schema })) } }),
    responses: { ...responses, default: PROBLEM },
  }
}

/** Without examples and headers: the client hands headers on as they are. */
function plain(document: ApiDocument, response: Response & { readonly $ref?: string }): object {
  const { $ref } = response
  const resolved = $ref === undefined ? response : document.components.responses[$ref.split('/').at(-1) ?? '']
  const { description, content } = resolved as Response & { description: string }
  if (content === undefined) return { description }
  return { description, content: mapValues(content, ({ schema }) => ({ schema })) }
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
