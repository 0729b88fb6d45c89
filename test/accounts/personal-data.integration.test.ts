import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/caller.ts'
import type { Route } from '../../src/http/route.ts'
import { personalScope } from '../../src/http/visibility.ts'
import type { FilterField, ListSpec } from '../../src/list.ts'
import { toCamelCase, toSnakeCase } from '../../src/naming.ts'
import type { TestApi } from '../support/api.ts'
import { type MarkedApi, markedApi } from '../support/marked-api.ts'
import { alwaysPersonal, type Marker, personalFields } from '../support/personal.ts'

/**
 * What a key without `.personal` gets to see: of every personal column that `datasets.ts` names, in every operation that the API
 * document names. A new column or operation is tested without a change here.
 */

interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly path: string
  readonly type: string | undefined
  readonly example: unknown
}

let marked: MarkedApi
let api: TestApi
let plain: TestApi['admin']
let routes: readonly Route[]
let markers: Marker[]
let operations: Operation[]

beforeAll(async () => {
  marked = await markedApi()
  api = marked.api
  markers = marked.markers
  plain = api.as(await api.token(...SCOPES.filter((scope) => !scope.endsWith('.personal'))))
  routes = marked.routes
  operations = operationsOf((await api.anonymous.get('/v1/openapi.json')).body)
})
afterAll(() => marked.api.close())

type Media = { example?: unknown; examples?: Record<string, { value: unknown }> }
type Documented = { requestBody?: { content: Record<string, Media> } }

function operationsOf({ paths }: { paths: Record<string, Record<string, Documented>> }): Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { requestBody }]) => {
      const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? []
      const example = media?.example ?? Object.values(media?.examples ?? {})[0]?.value
      return { method: method as Operation['method'], path, type, example }
    }),
  )
}

const addressOf = (path: string) => marked.addressOf(path)

const shownMarkers = (text: string) => markers.filter(({ value }) => text.includes(value))

/** The names of personal fields in an answer, at any depth; the trail has the name alone, with the word `changed`. */
function personalNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(personalNames)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]) => [
    ...(alwaysPersonal.has(name) && item !== 'changed' ? [name] : []),
    ...personalNames(item),
  ])
}

/** The same of an export: of its lines, or of the header of a table. */
function namesIn(text: string, type: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (type === 'application/x-ndjson') return lines.flatMap((line) => personalNames(JSON.parse(line)))
  return (lines[0] ?? '')
    .trim()
    .split(',')
    .filter((name) => alwaysPersonal.has(name))
}

function expectNothingPersonal(answer: { text?: string; body: unknown; headers: object }, what: string): void {
  const everything = `${answer.text ?? ''}${JSON.stringify(answer.headers)}`
  expect(shownMarkers(everything), what).toEqual([])
  if (!what.includes('openapi.json')) expect(personalNames(answer.body), what).toEqual([])
}

const lists = () =>
  routes.flatMap(({ path, view, produces }) =>
    view?.list ? [{ address: addressOf(path), list: view.list as ListSpec, produces }] : [],
  )

const isPersonal = ({ table }: ListSpec, field: string) =>
  personalFields(table).includes(toCamelCase(toSnakeCase(field)))

async function expectRefused(url: string, list: Pick<ListSpec, 'table'>): Promise<void> {
  const answer = await plain.get(url)
  expect({ url, status: answer.status, scope: answer.body.scope }).toEqual({
    url,
    status: 403,
    scope: personalScope(list.table),
  })
  expect(shownMarkers(answer.text)).toEqual([])
}

describe('a key with every scope but those for personal data', () => {
  it('cannot ask about a personal field: by no filter, sort, search or selection', async () => {
    let asked = 0
    for (const { address, list } of lists()) {
      for (const [name, field] of Object.entries<FilterField>(list.filters)) {
        if (!isPersonal(list, field.column ?? name)) continue
        for (const operator of field.operators) {
          const value = operator === 'isNull' || field.kind === 'boolean' ? 'true' : 'QX'
          await expectRefused(`${address}?${operator === 'eq' ? name : `${name}[${operator}]`}=${value}`, list)
          asked++
        }
      }
      const personal = personalFields(list.table)
      for (const field of Object.keys(list.sorts).filter((name) => isPersonal(list, name))) {
        for (const sort of [field, `-${field}`]) await expectRefused(`${address}?sort=${sort}`, list)
      }
      if (list.search?.some((field) => personal.includes(field))) await expectRefused(`${address}?q=zqmark`, list)
      for (const { field } of markers.filter(({ table, hidden }) => table === list.table && !hidden)) {
        await expectRefused(`${address}?fields=${field}`, list)
        asked++
      }
    }
    for (const { path, view } of routes) {
      if (view === undefined || view.list !== undefined) continue
      for (const { field } of markers.filter(({ table, hidden }) => table === view.table && !hidden)) {
        await expectRefused(`${addressOf(path)}?fields=${field}`, { table: view.table })
      }
    }
    expect(asked).toBeGreaterThan(10)
  })

  it('is shown none in any list: filtered, embedded, counted, paged, or exported in any format', async () => {
    for (const { address, list, produces } of lists()) {
      const view = routes.find(({ view }) => view?.list === list)?.view
      const expansions = Object.keys(view?.expand ?? {})
      const queries = [
        '',
        '?count=exact',
        '?count=estimated',
        '?limit=1',
        ...expansions.map((name) => `?expand=${name}`),
      ]
      for (const query of queries) {
        const answer = await plain.get(`${address}${query}`)
        expect(answer.status, `${address}${query}`).toBe(200)
        expectNothingPersonal(answer, `${address}${query}`)
      }
      for (const type of (produces ?? []).filter((each) => each !== 'application/json')) {
        const answer = await plain.get(address).set('Accept', type).buffer(true)
        expect(answer.status, `${address} as ${type}`).toBe(200)
        expect(shownMarkers(answer.text ?? ''), `${address} as ${type}`).toEqual([])
        expect(namesIn(answer.text ?? '', type), `${address} as ${type}`).toEqual([])
      }
    }
  })

  it('is shown none by reading anything; a key with these scopes is shown every one of them', async () => {
    const seen = new Set<string>()
    for (const { path } of operations.filter(({ method }) => method === 'get')) {
      const address = addressOf(path)
      expectNothingPersonal(await plain.get(address), address)
      for (const { value } of shownMarkers((await api.admin.get(address)).text ?? '')) seen.add(value)
    }
    const readable = markers.filter(({ table, hidden }) => !hidden && routes.some(({ view }) => view?.table === table))
    expect(readable.length).toBeGreaterThan(10)
    expect(readable.filter(({ value }) => !seen.has(value))).toEqual([])
    expect(markers.filter(({ value, hidden }) => hidden && seen.has(value))).toEqual([])
  })

  it('is told none by writing: neither what is there nor what it sends comes back', async () => {
    for (const operation of operations.filter(({ method }) => method !== 'get')) {
      for (const body of [operation.example, withMarkers(operation.example)]) {
        const request = plain[operation.method](addressOf(operation.path)).set('If-Match', '*')
        if (operation.type !== undefined) request.set('Content-Type', operation.type)
        const answer = await (body === undefined
          ? request
          : request.send(typeof body === 'string' ? body : JSON.stringify(body)))
        expect(answer.status, `${operation.method} ${operation.path}`).toBeLessThan(500)
        expectNothingPersonal(answer, `${operation.method} ${operation.path} ${answer.status}`)
      }
    }
  })

  it('may look players up by id only', async () => {
    const lookup = (identifier: object) => plain.post('/v1/players/lookup').send({ identifiers: [identifier] })
    expect((await lookup({ id: marked.ids.players })).status).toBe(200)
    for (const identifier of [{ username: 'abc' }, { email: 'a@b.example' }, { provider: 'discord', subject: '1' }]) {
      const answer = await lookup(identifier)
      expect({ status: answer.status, scope: answer.body.scope }).toEqual({
        status: 403,
        scope: 'players:read.personal',
      })
    }
  })
})

/** A body with the stored value in the place of every personal one. */
function withMarkers(body: unknown): unknown {
  if (typeof body === 'string') {
    return body
      .split('\n')
      .map((line) => (line.startsWith('{') ? JSON.stringify(withMarkers(JSON.parse(line))) : line))
      .join('\n')
  }
  if (Array.isArray(body)) return body.map(withMarkers)
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      const marker = markers.find(({ field, hidden }) => field === name && !hidden && alwaysPersonal.has(name))
      const isText = marker !== undefined && typeof value === 'string'
      return [name, isText ? marker.value.replaceAll('"', '') : withMarkers(value)]
    }),
  )
}

/** The examples say the same instant in many fields. */
const INSTANT = /^\d{4}-\d\d-\d\dT/

/** Values of personal fields in the examples of the API document: they were written in the tests above. */
function personalValues(body: unknown): string[] {
  if (typeof body === 'string')
    return body
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .flatMap((line) => personalValues(JSON.parse(line)))
  if (Array.isArray(body)) return body.flatMap(personalValues)
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body).flatMap(([name, value]) =>
    alwaysPersonal.has(name) && typeof value === 'string' && value.length > 5 && !INSTANT.test(value)
      ? [value]
      : personalValues(value),
  )
}

describe('what is kept of all that', () => {
  it('has no personal value in it: neither the log nor the changes in the audit trail', async () => {
    const written = [...new Set(operations.flatMap(({ example }) => personalValues(example)))]
    expect(written.length).toBeGreaterThan(3)
    const log = api.log()
    const rows = await api.database.prisma.$queryRaw<
      { text: string }[]
    >`SELECT (to_jsonb(a) - 'reason')::text AS text FROM audit_event a`
    const trail = rows.map(({ text }) => text).join('\n')
    expect(log.length * trail.length).toBeGreaterThan(1000)
    for (const value of [...written, ...markers.map((marker) => marker.value)]) {
      expect(log).not.toContain(value)
      expect(trail).not.toContain(value)
    }
  })
})
