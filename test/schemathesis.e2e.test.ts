import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCOPES } from '../src/caller.ts'
import { createTestDatabase, type TestDatabase } from './support/database.ts'
import { pythonEnvironment } from './support/python.ts'
import { ROOT, removeFolder, run, runCommand, type Service, startService } from './support/service.ts'

/**
 * Schemathesis makes requests out of the API document, valid and invalid ones, and compares each answer with it: no 5xx, no status,
 * media type, header or body that is not told. `npm run proof -- schemathesis` makes more than 5,000 of them.
 */

const REQUIREMENTS = ['schemathesis==4.32.5', 'hypothesis==6.170.15']
const full = process.env.PROOF === 'full'
/** Of each operation and phase. */
const EXAMPLES = full ? 60 : 1
const PHASES = full ? 'examples,coverage,fuzzing' : 'examples,fuzzing'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
]
/** A snapshot is a process that runs for seconds; one at a time, so it has tests of its own. */
const EXCLUDED = ['requestSnapshot']

const python = await pythonEnvironment('schemathesis', REQUIREMENTS)

describe.skipIf('missing' in python)(
  `Schemathesis${'missing' in python ? ` (skipped: ${python.missing})` : ''}`,
  () => {
    let database: TestDatabase
    let service: Service
    let url: string
    let token: string

    beforeAll(async () => {
      database = await createTestDatabase()
      const limits = { RATE_LIMIT: '1000000/1s', RATE_LIMIT_BULK: '1000000/1s' }
      service = await startService({ env: { DATABASE_URL: database.url, LAKE_SCHEDULER: 'none', ...limits } })
      await service.saw(/ready to use/i)
      const printed = JSON.parse((await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })).stdout)
      url = printed.API_URL
      const made = await fetch(`${url}/v1/api-keys`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${printed.API_KEY}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'schemathesis', scopes: SCOPES }),
      })
      token = ((await made.json()) as { token: string }).token
    }, 180_000)

    afterAll(async () => {
      await service?.stop()
      await database?.drop()
      removeFolder(service.dir)
    })

    it('finds no answer that the API document does not tell', { timeout: 900_000 }, async () => {
      const program = path.join(path.dirname('python' in python ? python.python : ''), 'schemathesis')
      const hooks = path.join(ROOT, 'test/support/schemathesis-hooks.py')
      const done = await run(
        program,
        [
          'run',
          `${url}/v1/openapi.json`,
          ...['--header', `Authorization: Bearer ${token}`],
          ...['--checks', CHECKS.join(',')],
          ...['--phases', PHASES],
          ...['--max-examples', String(EXAMPLES)],
          ...['--seed', '20261123', '--workers', '1', '--request-timeout', '30', '--continue-on-failure', '--no-color'],
          ...['--generation-database', 'none', '--suppress-health-check', 'all'],
          ...EXCLUDED.flatMap((operation) => ['--exclude-operation-id', operation]),
        ],
        { SCHEMATHESIS_HOOKS: hooks },
      )
      expect(done.code, done.stdout.slice(-20_000) + done.stderr.slice(-2000)).toBe(0)
      const made = Number(/(\d+) generated/.exec(done.stdout.replaceAll(',', ''))?.[1])
      expect(made, done.stdout.slice(-3000)).toBeGreaterThan(full ? 5000 : 50)
    })
  },
)
