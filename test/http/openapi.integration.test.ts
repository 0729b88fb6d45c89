import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, newActiveStudio, newStudio, type TestApi } from '../support/api.ts'
import {
  type ApiDocument,
  apiDocument,
  type Call,
  callAsPromised,
  parametersOf,
  schemaCompiler,
} from '../support/api-document.ts'

let api: TestApi
let document: ApiDocument
beforeAll(async () => {
  api = await createTestApi()
  document = await apiDocument(api)
})
afterAll(() => api.close())

describe('the API document', () => {
  it('is OpenAPI 3.1 whose schemas compile and whose references resolve', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const ajv = schemaCompiler(document)
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
      const inPath = parametersOf(document, operation)
        .filter((p) => p.in === 'path')
        .map((p) => p.name)
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
    const ajv = schemaCompiler(document)
    const { studio, owner } = await newActiveStudio(api)
    const other = await newStudio(api)
    const member = { id: studio.id, ownerId: owner.id }
    const calls: Call[] = [
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
    for (const call of calls) await callAsPromised(api, document, ajv, call)
  })

  it('promises 428 only where a write can be refused for want of If-Match', () => {
    const promising = Object.entries(document.paths).filter(([, item]) => item.put?.responses['428'] !== undefined)
    expect(promising.map(([path]) => path)).toEqual(['/v1/studios/{id}/members/{ownerId}'])
    expect(document.paths['/v1/studios/{id}']?.patch?.responses).toHaveProperty('428')
  })

  it('promises 415 where a body is refused, and 304 where a version can be asked about', async () => {
    const { studio, owner } = await newActiveStudio(api)
    const member = `/v1/studios/${studio.id}/members/${owner.id}`
    const withBody = await api.admin.delete(member).set('If-Match', '*').send({ reason: 'x' })
    expect(withBody.status).toBe(415)
    expect(document.paths['/v1/studios/{id}/members/{ownerId}']?.delete?.responses).toHaveProperty('415')
    const known = await api.admin.get(member).set('If-None-Match', '"1"')
    expect(known.status).toBe(304)
    const read = document.paths['/v1/studios/{id}/members/{ownerId}']?.get
    const { responses } = read ?? {}
    const parameters = read === undefined ? [] : parametersOf(document, read)
    expect(responses).toHaveProperty('304')
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'If-None-Match', in: 'header', required: false }))
    expect(document.paths['/v1/studios']?.get?.responses).not.toHaveProperty('304')
  })
})
