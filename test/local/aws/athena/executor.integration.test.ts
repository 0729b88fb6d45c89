import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Execution } from '../../../../src/local/aws/athena/api/execution.ts'
import { Executor } from '../../../../src/local/aws/athena/api/executor.ts'
import { JsonFolder } from '../../../../src/local/aws/athena/api/json-folder.ts'
import type { Catalogue, ObjectStore } from '../../../../src/local/aws/ports.ts'
import { createLogger } from '../../../../src/logger.ts'

/** On a disk whose writes wait, once that is wished, to be let through. */
class SlowFolder extends JsonFolder<Execution> {
  isSlow = false
  readonly asked = Promise.withResolvers<void>()
  readonly goOn = Promise.withResolvers<void>()

  override async write(key: string, value: Execution): Promise<void> {
    if (this.isSlow) {
      this.asked.resolve()
      await this.goOn.promise
    }
    await super.write(key, value)
  }
}

const WORKS = 'PREPARE a FROM SELECT 1'

let dir: string
let executions: SlowFolder
let executor: Executor
const execution: Execution = {
  ...{ id: 'one', query: '', database: 'default', catalog: 'awsdatacatalog' },
  ...{ workGroup: 'primary', statementType: 'DML', state: 'QUEUED', submitted: 0, scannedBytes: 0, queueMillis: 0 },
  ...{ planMillis: 0, engineMillis: 0, rows: 0, format: 'csv', sequence: 1 },
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rocketgames-executor-'))
  executions = new SlowFolder(join(dir, 'executions'))
  executor = new Executor({
    ...{
      dir,
      executions,
      store: {} as ObjectStore,
      catalogue: {} as Catalogue,
      log: createLogger({ level: 'silent' }),
    },
    prepared: { get: () => undefined, put: async () => undefined, delete: async () => true },
  })
})

/** Runs it until its end is to be written. */
async function runToItsEnd(query: string): Promise<void> {
  const e = { ...execution, query }
  await executions.put(e.id, e)
  executions.isSlow = true
  executor.submit(e)
  await executions.asked.promise
}

afterEach(async () => {
  executions.goOn.resolve()
  await executor.close()
  await rm(dir, { recursive: true, force: true })
})

const told = () => executions.get('one')?.state
const stored = async () => JSON.parse(await readFile(join(dir, 'executions/one.json'), 'utf8')).state

it('nobody is told of the end of a query before a crash could no longer take it back', async () => {
  await runToItsEnd(WORKS)
  expect(told()).toBe('RUNNING')
  executions.goOn.resolve()
  await expect.poll(told).toBe('SUCCEEDED')
  expect(await stored()).toBe('SUCCEEDED')
})

it.each([
  ['works', WORKS],
  ['fails', 'EXECUTE nothing'],
])('a stop that comes while the end of a query that %s is written holds, and is what is told', async (_, query) => {
  await runToItsEnd(query)
  expect(executions.get('one')).toMatchObject({ state: 'RUNNING' })
  executor.stop('one')
  expect(told()).toBe('CANCELLED')
  executions.goOn.resolve()
  await expect.poll(stored).toBe('CANCELLED')
  expect(executions.get('one')).toMatchObject({ state: 'CANCELLED', reason: 'Query cancelled by user' })
})
