import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accountsApi } from '../../src/commands/accounts.ts'
import { operator } from '../../src/commands/composition.ts'
import { wantsSample } from '../../src/commands/sample-data.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import type { ImportResource } from '../../src/imports/import-run.ts'
import { samplePeriod } from '../../src/local/sample/period.ts'
import { laterStudios, owners, studios } from '../../src/local/sample/studios.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from '../support/database.ts'

const NOW = new Date('2026-04-01')
const PERIOD = samplePeriod(NOW.getTime())

let created: Awaited<ReturnType<typeof createTestDatabase>>
let database: Database

beforeAll(async () => {
  created = await createTestDatabase()
  database = openDatabase({ url: created.url, poolSize: 3 })
})

afterAll(async () => {
  await database.close()
  await created.drop()
})

/** Some of the sample's records, as the load brings them in. */
async function bring(resource: ImportResource, objects: Iterable<object>): Promise<void> {
  const { imports } = accountsApi(database, { logger: createLogger({ level: 'silent' }) })
  for await (const answers of imports.run(resource, { objects }, { now: NOW }, operator())) {
    expect(answers.filter((answer) => 'status' in answer && answer.status === 'error')).toEqual([])
  }
}

describe('the sample', () => {
  it('is wanted by an empty database, and by one whose load was cut off, until its last step is done', async () => {
    expect(await wantsSample(database)).toBe(true)
    await bring('owners', owners(PERIOD))
    expect(await wantsSample(database)).toBe(true)
    await bring('studios', studios(PERIOD))
    expect(await wantsSample(database)).toBe(true)
    await bring('studios', laterStudios(PERIOD))
    expect(await wantsSample(database)).toBe(false)
  })

  it('does not come to the records of somebody else', async () => {
    const other = await createTestDatabase()
    const theirs = openDatabase({ url: other.url, poolSize: 2 })
    try {
      await theirs.prisma.studio.create({ data: { id: crypto.randomUUID(), slug: 'acme', name: 'Acme' } })
      expect(await wantsSample(theirs)).toBe(false)
    } finally {
      await theirs.close()
      await other.drop()
    }
  })
})
