import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headersOf, parametersOf, schemaCompiler, withResponses } from '../support/api-document.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { removeFolder, runCommand, type Service, startService } from '../support/service.ts'
import { wholeDocument } from '../support/whole-document.ts'
import { broken } from './answer-check.ts'
import { type Recipe, recipes } from './recipes.ts'
import { type ContractAnswer, type ContractCall, send, type Target, unknownValue } from './requests.ts'
import { createWorld, type World } from './world.ts'

/**
 * Every operation of the API document, asked for each of its successes and for each refusal that follows from its declaration.
 * The walk is derived from the document: an operation that is added is walked, or fails here until its recipe is given.
 */

const published = wholeDocument()
const document = withResponses(published)
const ajv = schemaCompiler(document)
const METHODS = ['get', 'post', 'put', 'patch', 'delete']
/** What was made once is sent as it was made: Accept chooses nothing. */
const AS_STORED = new Set(['getJobResult', 'getJobResultPart'])
/** Beyond the longest address that the service reads. */
const LONG_CHARACTERS = 9_000

let database: TestDatabase
let service: Service
let world: World
let admin: string
const allScopes = new Set(Object.values(document.paths).flatMap(scopesOf))

beforeAll(async () => {
  // As many imports as a test may want, and nothing to wait for.
  database = await createTestDatabase()
  const settings = { DATABASE_URL: database.url, LAKE_SCHEDULER: 'none', RATE_LIMIT_BULK: '1000/1s' }
  service = await startService({ env: settings })
  await service.saw(/ready to use/i)
  const env = JSON.parse((await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })).stdout)
  admin = env.API_KEY
  world = await createWorld(env.API_URL, admin)
}, 180_000)

afterAll(async () => {
  await service?.stop()
  await database?.drop()
  removeFolder(service.dir)
})

function scopesOf(item: (typeof document.paths)[string]): readonly string[] {
  return Object.values(item).flatMap((operation) => operation['x-scopes'] ?? [])
}

/** The answer, if it is the one that is expected and all that the document promises. */
async function promised(
  target: Target,
  call: ContractCall,
  token: string | undefined = admin,
): Promise<ContractAnswer> {
  const answer = await send({ ...target, url: world.url }, call, token)
  const told = `${target.method.toUpperCase()} ${target.path} ${JSON.stringify(call).slice(0, 400)}`
  expect(answer.status, `${told}\n${answer.text.slice(0, 600)}`).toBe(call.status)
  expect(broken(document, ajv, target, answer), told).toEqual([])
  return answer
}

/** A test only where it says something; a skipped one would look like something left undone. */
const when = (holds: boolean) => (holds ? it : (_name: string, _test: () => Promise<void>) => {})

const codeOf = (answer: ContractAnswer): string => JSON.parse(answer.text).code

/** A plain read needs no recipe: the world has a record for each collection. */
const read: (target: Target) => Recipe = (target) => async () => {
  const names = [...target.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const values = Object.fromEntries(names.map((name) => [name, world.value(target.path, name)]))
  return [{ values, status: 200 }]
}

async function callsOf(target: Target): Promise<readonly [ContractCall, ...ContractCall[]]> {
  const recipe = recipes[target.operation.operationId] ?? (target.method === 'get' ? read(target) : undefined)
  if (recipe === undefined)
    throw new Error(`test/contract/recipes.ts does not say how ${target.operation.operationId} succeeds`)
  const [body] = Object.values(target.operation.requestBody?.content ?? {})
  const example = (fields = {}) => ({ ...(body?.example as object), ...fields })
  const [first, ...more] = await recipe(world, example)
  if (first === undefined) throw new Error(`The recipe of ${target.operation.operationId} is empty`)
  return [first, ...more]
}

/** For refusals, which use no record up: the same call for all of them. */
const bases = new Map<string, Promise<ContractCall>>()

function baseOf(target: Target): Promise<ContractCall> {
  const { operationId } = target.operation
  const known = bases.get(operationId) ?? callsOf(target).then(([first]) => first)
  bases.set(operationId, known)
  return known
}

const targets: Target[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ url: '', method, path, operation })),
)

describe.each(targets.map((target) => [target.operation.operationId, target] as const))('%s', (_, target) => {
  const { operation, path, method } = target
  const isOpen = operation.security.length === 0
  const parameters = parametersOf(document, operation)
  const inPath = parameters.filter((parameter) => parameter.in === 'path')
  const header = (name: string) => parameters.find((parameter) => parameter.in === 'header' && parameter.name === name)
  const bodyTypes = Object.keys(operation.requestBody?.content ?? {})
  const takesJson = bodyTypes.some((type) => type.endsWith('json') && type !== 'application/x-ndjson')
  const isJsonOnly = takesJson && !bodyTypes.includes('application/x-ndjson')
  const refusal = async (change: Partial<ContractCall> & { status: number }, code: string, token?: string) => {
    const base = await baseOf(target)
    const answer = await promised(target, { ...base, ...change }, token ?? (isOpen ? undefined : admin))
    expect(codeOf(answer)).toBe(code)
    return answer
  }

  it('succeeds in every way that it says', async () => {
    const seen = new Set<string>()
    for (const call of await callsOf(target)) {
      const answer = await promised(target, call)
      seen.add(String(call.status))
      const tag = answer.headers.etag
      if (operation.responses['304'] === undefined || tag === undefined) continue
      await promised(target, { ...call, headers: { ...call.headers, 'If-None-Match': tag }, status: 304 })
      seen.add('304')
    }
    const success = Object.keys(operation.responses).filter((status) => Number(status) < 400)
    expect([...seen].sort()).toEqual(success)
  })

  when(!AS_STORED.has(operation.operationId))('answers in each media type that it names', async () => {
    const base = await baseOf(target)
    const types = Object.keys(operation.responses[String(base.status)]?.content ?? {})
    // Its one type is what the successes above are compared with.
    for (const type of types.length > 1 ? types : []) {
      const [call] = await callsOf(target)
      const answer = await promised(target, { ...call, headers: { ...call.headers, Accept: type } })
      expect(answer.headers['content-type']).toContain(type)
    }
  })

  when(!isOpen)('is 401 without a key and with one that is none', async () => {
    const base = await baseOf(target)
    const anonymous = await send({ ...target, url: world.url }, base, undefined)
    expect(anonymous.status).toBe(401)
    expect(broken(document, ajv, target, anonymous)).toEqual([])
    await refusal({ status: 401 }, 'unauthenticated', 'rg_live_000000000000_none_none')
  })

  for (const scope of operation['x-scopes'] ?? []) {
    it(`is 403 without ${scope}`, async () => {
      const answer = await refusal(
        { status: 403 },
        'forbidden',
        await world.token([...allScopes].filter((each) => each !== scope)),
      )
      expect(JSON.parse(answer.text).scope).toBe(scope)
    })
  }

  when(operation.responses['404'] !== undefined && inPath.length > 0)('is 404 for what does not exist', async () => {
    for (const parameter of inPath.filter(({ schema }) => schema.enum === undefined)) {
      if (parameter.name === 'externalRef' || parameter.name === 'ref') continue
      const base = await baseOf(target)
      const values = { ...base.values, [parameter.name]: unknownValue(parameter) }
      await refusal({ values, status: 404 }, 'not-found')
    }
  })

  it('is 405 with Allow for the methods that the document does not have', async () => {
    for (const other of METHODS.filter((each) => document.paths[path]?.[each] === undefined)) {
      const base = await baseOf(target)
      const answer = await send({ ...target, method: other, url: world.url }, { ...base, status: 405 }, admin)
      expect(broken(document, ajv, target, answer), other).toEqual([])
      expect(answer.status).toBe(405)
      expect(answer.headers.allow).toContain(method.toUpperCase())
    }
  })

  it('is 400 for a parameter that it does not know, and 414 for too many of them', async () => {
    await refusal({ query: 'colour=red', status: 400 }, 'unknown-parameter')
    await refusal({ query: `colour=${'r'.repeat(LONG_CHARACTERS)}`, status: 414 }, 'uri-too-long')
  })

  it('is 406 for a media type that it does not produce', async () => {
    const base = await baseOf(target)
    await refusal({ headers: { ...base.headers, Accept: 'image/png' }, status: 406 }, 'not-acceptable')
  })

  it('is 415 for a body of another type', async () => {
    await refusal({ body: '<record/>', type: 'text/xml', status: 415 }, 'unsupported-media-type')
  })

  when(isJsonOnly)('is 422 for a field that it does not know, 400 for what is no JSON, 413 for too much', async () => {
    await refusal({ body: { colour: 'red' }, status: 422 }, 'validation')
    await refusal({ body: '{"name":', status: 400 }, 'malformed-json')
    await refusal({ body: ' '.repeat(256 * 1024 + 1), status: 413 }, 'payload-too-large')
  })

  when(header('If-Match') !== undefined)('is 412 for a stale If-Match and 400 for one that is no tag', async () => {
    // A write that may create is only stale once there is something.
    const [base, again] = await callsOf(target)
    if (again !== undefined) await promised(target, base)
    const call = again ?? base
    await promised(target, { ...call, headers: { 'If-Match': '"999999"' }, status: 412 })
    await refusal({ headers: { 'If-Match': '7' }, status: 400 }, 'malformed-header')
  })

  when(header('If-Match')?.required === true)('is 428 without If-Match', async () => {
    await refusal({ headers: {}, status: 428 }, 'precondition-required')
  })

  when(parameters.some(({ name }) => name === 'cursor'))('is 400 for a cursor that it did not make', async () => {
    await refusal({ query: 'cursor=none', status: 400 }, 'invalid-cursor')
    await refusal({ query: 'limit=0', status: 400 }, 'invalid-parameter')
  })

  when(header('Idempotency-Key') !== undefined)(
    'acts once for an Idempotency-Key and gives the same answer again',
    async () => {
      const [base] = await callsOf(target)
      const call = { ...base, headers: { ...base.headers, 'Idempotency-Key': crypto.randomUUID() } }
      const first = await promised(target, call)
      const second = await promised(target, call)
      expect(second.headers['idempotency-replayed']).toBe('true')
      expect(second.text).toBe(first.text)
      for (const name of ['etag', 'location']) expect(second.headers[name]).toBe(first.headers[name])
      expect(first.headers['idempotency-replayed']).toBeUndefined()
      if (takesJson) await promised(target, { ...call, body: { colour: 'red' }, status: 422 })
      await refusal({ headers: { ...base.headers, 'Idempotency-Key': 'short' }, status: 400 }, 'malformed-header')
    },
  )

  it('tells in the document which headers its successes carry', () => {
    for (const [status, response] of Object.entries(operation.responses)) {
      expect([...headersOf(document, response).keys()], status).toContain('X-Request-Id')
    }
  })
})

describe('the running service', () => {
  it('publishes the very document that was walked', async () => {
    const answer = await fetch(`${world.url}/v1/openapi.json`)
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(published)))
  })

  it('has no recipe for an operation that is gone', () => {
    const known = targets.map(({ operation }) => operation.operationId)
    expect(Object.keys(recipes).filter((name) => !known.includes(name))).toEqual([])
  })
})
