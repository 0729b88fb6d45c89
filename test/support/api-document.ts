import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'
import type { TestApi } from './api.ts'

export interface Media {
  readonly schema: Readonly<Record<string, unknown>>
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly $ref?: string; readonly value?: unknown }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: Readonly<Record<string, unknown>>
  readonly example?: unknown
}

interface Reference {
  readonly $ref: string
}

interface Header {
  readonly schema: { readonly pattern?: string }
}

export interface Response {
  readonly headers?: Readonly<Record<string, Header | Reference>>
  readonly content?: Readonly<Record<string, Media>>
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, Response>>
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly 'x-scopes'?: readonly string[]
}

export interface ApiDocument {
  readonly openapi: string
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly headers: Readonly<Record<string, Header>>
    readonly parameters: Readonly<Record<string, Parameter>>
    readonly responses: Readonly<Record<string, Response>>
    readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
  }
}

const lastPart = (reference: string) => reference.split('/').at(-1) ?? ''

/** The parameters of an operation, those of the components in place of references to them. */
export function parametersOf(document: ApiDocument, operation: Operation): Parameter[] {
  return (operation.parameters ?? []).map((parameter) => {
    if (!('$ref' in parameter)) return parameter
    const found = document.components.parameters[lastPart(parameter.$ref)]
    if (found === undefined) throw new Error(`${parameter.$ref} does not exist`)
    return found
  })
}

/** The headers of an answer by name, each with the pattern of its value. */
export function headersOf(document: ApiDocument, response: Response): Map<string, RegExp | undefined> {
  return new Map(
    Object.entries(response.headers ?? {}).map(([name, given]) => {
      const header = '$ref' in given ? document.components.headers[lastPart(given.$ref)] : given
      const pattern = header?.schema.pattern
      return [name, pattern === undefined ? undefined : new RegExp(pattern)]
    }),
  )
}

/** One body that the document describes, of a request or an answer. */
export interface Content {
  /** For messages. */
  readonly name: string
  /** Where it stands in the document. */
  readonly place: readonly string[]
  readonly media: Media
  readonly examples: Readonly<Record<string, unknown>>
}

export function contentsOf(document: ApiDocument): Content[] {
  const contents: Content[] = []
  const add = (place: readonly string[], content: Readonly<Record<string, Media>> = {}) => {
    for (const [type, media] of Object.entries(content)) {
      const at = [...place, 'content', type]
      contents.push({ name: at.slice(1).join(' '), place: at, media, examples: examplesOf(document, media) })
    }
  }
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      add(['paths', path, method, 'requestBody'], operation.requestBody?.content)
      for (const [status, response] of Object.entries(operation.responses)) {
        add(['paths', path, method, 'responses', status], response.content)
      }
    }
  }
  return contents
}

function examplesOf(document: ApiDocument, { example, examples }: Media): Record<string, unknown> {
  if (examples === undefined) return example === undefined ? {} : { example }
  return Object.fromEntries(
    Object.entries(examples).map(([key, { $ref, value }]) => [
      key,
      $ref === undefined ? value : document.components.examples?.[lastPart($ref)]?.value,
    ]),
  )
}

/** The check of the schema at a place of the document. */
export function validatorAt(ajv: Ajv2020, place: readonly string[]): ValidateFunction {
  const validate = ajv.getSchema(`api#/${place.map((part) => encodeURIComponent(escaped(part))).join('/')}`)
  if (validate === undefined) throw new Error(`The document has no schema at ${place.join(' ')}`)
  return validate
}

/** A request by the document: method, path as it is written there with a query behind it, values for its parameters, body, If-Match. */
export type Call = readonly [
  method: string,
  pattern: string,
  values: Readonly<Record<string, string>>,
  body?: object | undefined,
  ifMatch?: string,
]

/** What the API says about itself. */
export async function apiDocument(api: TestApi): Promise<ApiDocument> {
  return withResponses((await api.anonymous.get('/v1/openapi.json')).body)
}

/** The document with each answer in the place where it is referred to. */
export function withResponses(document: ApiDocument): ApiDocument {
  const resolved = (responses: Operation['responses']) =>
    Object.fromEntries(
      Object.entries(responses).map(([status, response]) => {
        const { $ref } = response as { $ref?: string }
        const target = $ref === undefined ? response : document.components.responses[lastPart($ref)]
        if (target === undefined) throw new Error(`${$ref} does not exist`)
        return [status, target]
      }),
    )
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const operations = Object.entries(item).map(([method, operation]) => {
      return [method, { ...operation, responses: resolved(operation.responses) }] as const
    })
    return [path, Object.fromEntries(operations)] as const
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

/** Knows every schema of the document as `api#/…`. */
export function schemaCompiler(document: ApiDocument): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // The plugin is CommonJS: its default export is the module itself or a member of it.
  const plugin = (addFormats as unknown as { default?: typeof addFormats }).default ?? addFormats
  ;(plugin as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addFormat('idn-email', true)
  ajv.addSchema({ ...document, $id: 'api' })
  return ajv
}

const escaped = (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1')

/** Makes the call and fails unless its answer is one that the document promises; answers with the status. */
export async function callAsPromised(api: TestApi, document: ApiDocument, ajv: Ajv2020, call: Call): Promise<number> {
  const [method, address, values, body, ifMatch] = call
  const [pattern = ''] = address.split('?')
  const request = api.admin[method as 'get'](address.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''))
  if (ifMatch !== undefined) request.set('If-Match', ifMatch)
  const answer = await (body === undefined ? request : request.send(body))
  const promise = document.paths[pattern]?.[method]?.responses[String(answer.status)]
  expect(promise, `${method} ${pattern} does not promise ${answer.status}`).toBeDefined()
  if (promise?.content === undefined) return answer.status
  const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  expect(Object.keys(promise.content)).toContain(type)
  const validate = validatorAt(ajv, [
    'paths',
    pattern,
    method,
    'responses',
    String(answer.status),
    'content',
    type,
    'schema',
  ])
  if (!validate(answer.body)) {
    throw new Error(`${method} ${pattern} ${answer.status}: ${ajv.errorsText(validate.errors)}`)
  }
  return answer.status
}
