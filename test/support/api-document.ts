import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'
import type { TestApi } from './api.ts'

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, { readonly schema: object }> }>>
  readonly security: readonly object[]
}

export interface ApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

/** A request by the document: method, path as it is written there, values for its parameters, body, If-Match. */
export type Call = readonly [
  method: string,
  pattern: string,
  values: Readonly<Record<string, string>>,
  body?: object | undefined,
  ifMatch?: string,
]

/** What the API says about itself. */
export async function apiDocument(api: TestApi): Promise<ApiDocument> {
  return (await api.anonymous.get('/v1/openapi.json')).body
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
  const [method, pattern, values, body, ifMatch] = call
  const request = api.admin[method as 'get'](pattern.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''))
  if (ifMatch !== undefined) request.set('If-Match', ifMatch)
  const answer = await (body === undefined ? request : request.send(body))
  const promise = document.paths[pattern]?.[method]?.responses[String(answer.status)]
  expect(promise, `${method} ${pattern} does not promise ${answer.status}`).toBeDefined()
  if (promise?.content === undefined) return answer.status
  const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  expect(Object.keys(promise.content)).toContain(type)
  const at = ['paths', pattern, method, 'responses', String(answer.status), 'content', type, 'schema']
  const validate = ajv.getSchema(`api#/${at.map((part) => encodeURIComponent(escaped(part))).join('/')}`)
  expect(validate).toBeDefined()
  if (!validate?.(answer.body)) {
    throw new Error(`${method} ${pattern} ${answer.status}: ${ajv.errorsText(validate?.errors)}`)
  }
  return answer.status
}
