import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi } from '../support/api.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, { readonly schema: object }> }>>
  readonly security: readonly object[]
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

let api: TestApi
let document: Document
beforeAll(async () => {
  api = await createTestApi()
  document = (await api.anonymous.get('/v1/openapi.json')).body
})
afterAll(() => api.close())

function compiler(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // The plugin is CommonJS: its default export is the module itself or a member of it.
  const plugin = (addFormats as unknown as { default?: typeof addFormats }).default ?? addFormats
  ;(plugin as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addFormat('idn-email', true)
  ajv.addSchema({ ...document, $id: 'api' })
  return ajv
}

const escaped = (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1')

/** Fails unless the answer is one that the document promises for this operation. */
function expectPromised(
  ajv: Ajv2020,
  method: string,
  path: string,
  answer: { status: number; type: string; body: unknown },
) {
  const promise = document.paths[path]?.[method]?.responses[String(answer.status)]
  expect(promise, `${method} ${path} does not promise ${answer.status}`).toBeDefined()
  if (promise?.content === undefined) return
  expect(Object.keys(promise.content)).toContain(answer.type)
  const at = ['paths', path, method, 'responses', String(answer.status), 'content', answer.type, 'schema']
  const validate = ajv.getSchema(`api#/${at.map((part) => encodeURIComponent(escaped(part))).join('/')}`)
  expect(validate).toBeDefined()
  if (!validate?.(answer.body))
    throw new Error(`${method} ${path} ${answer.status}: ${ajv.errorsText(validate?.errors)}`)
}

describe('the API document', () => {
  it('is OpenAPI 3.1 whose schemas compile and whose references resolve', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const ajv = compiler()
    for (const name of Object.keys(document.components.schemas)) {
      expect(ajv.getSchema(`api#/components/schemas/${name}`), name).toBeDefined()
    }
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      const target = (reference ?? '')
        .slice(2)
        .split('/')
        .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], document)
      expect(target, reference).toBeDefined()
    }
  })

  it('names each operation once, describes every path parameter, and says how to authenticate', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, operation })),
    )
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name)
      expect(inPath, operation.operationId).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
      expect(operation.security, operation.operationId).toBeDefined()
      expect(operation.responses['405'], operation.operationId).toBeDefined()
    }
  })

  it('has exactly the routes that answer: no operation is 404 or 405, every other method is', async () => {
    const methods = ['get', 'post', 'put', 'patch', 'delete'] as const
    for (const [pattern, item] of Object.entries(document.paths)) {
      const path = pattern.replace('{slug}', 'not-found').replace(/\{\w+\}/g, crypto.randomUUID())
      for (const method of methods) {
        const answer = await api.anonymous[method](path)
        if (item[method] === undefined) expect(answer.status, `${method} ${path}`).toBe(405)
        else if (item[method].security.length > 0) expect(answer.status, `${method} ${path}`).toBe(401)
        else expect(answer.status, `${method} ${path}`).toBe(200)
      }
    }
  })

  it('keeps its promises: answers have the status, type and schema it gives', async () => {
    const ajv = compiler()
    const { studio, owner } = await newActiveStudio(api)
    const other = await newStudio(api)
    const member = { id: studio.id, ownerId: owner.id }
    const calls: [string, string, Record<string, string>, (object | undefined)?, string?][] = [
      ['get', '/v1/studios', {}],
      ['post', '/v1/studios', {}, { slug: 'x' }],
      ['post', '/v1/studios', {}, { slug: studio.slug, name: 'Twin' }],
      ['get', '/v1/studios/{id}', { id: studio.id }],
      ['get', '/v1/studios/{id}', { id: 'no-id' }],
      ['patch', '/v1/studios/{id}', { id: other.id }, { name: 'New' }, '"1"'],
      ['patch', '/v1/studios/{id}', { id: other.id }, { name: 'New' }, '"1"'],
      ['patch', '/v1/studios/{id}', { id: other.id }, { name: 'New' }],
      ['get', '/v1/studios/{id}/transitions', { id: studio.id }],
      ['post', '/v1/studios/{id}/transitions', { id: other.id }, { to: 'active' }, '*'],
      ['get', '/v1/studios/{id}/members', { id: studio.id }],
      ['get', '/v1/studios/{id}/members/{ownerId}', member],
      ['put', '/v1/studios/{id}/members/{ownerId}', member, { role: 'admin' }],
      ['delete', '/v1/studios/{id}/members/{ownerId}', member, undefined, '"1"'],
      ['get', '/v1/owners', {}],
      ['get', '/v1/owners/{id}', { id: owner.id }],
      ['get', '/v1/owners/{id}/studios', { id: owner.id }],
      ['post', '/v1/owners/{id}/transitions', { id: owner.id }, { to: 'disabled' }, '"1"'],
      ['get', '/v1/whoami', {}],
      ['get', '/v1/enums', {}],
      ['get', '/v1/problems/{slug}', { slug: 'conflict' }],
      ['get', '/healthz', {}],
      ['get', '/readyz', {}],
    ]
    for (const [method, pattern, values, body, ifMatch] of calls) {
      const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
      const request = api.admin[method as 'get'](path)
      if (ifMatch !== undefined) request.set('If-Match', ifMatch)
      const answer = await (body === undefined ? request : request.send(body))
      const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
      expectPromised(ajv, method, pattern, { status: answer.status, type, body: answer.body })
    }
  })
})
