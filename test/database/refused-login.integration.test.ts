import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { describe as textOf } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { asAdmin, urlOf } from '../support/database-users.ts'
import { WAYS } from './ways.ts'

/** A process whose password has been rotated away, or whose user may no longer log in, is told so; waiting would not help. */

const user = `refused_${randomBytes(4).toString('hex')}`
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await asAdmin(`CREATE ROLE ${user} LOGIN PASSWORD 'the-present-password'`)
})
afterAll(async () => {
  await database?.drop()
  await asAdmin(`DROP ROLE ${user}`)
})

function opening(password: string) {
  const lines: { level: number; msg: string; reason?: string }[] = []
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
  // Whoever waits for it runs into the limit of the test.
  const url = urlOf(database.url, { user, password })
  return { lines, database: openDatabase({ url, poolSize: 2, patienceMs: 600_000, logger }) }
}

async function expectRefusal(password: string, reason: string): Promise<void> {
  const { database, lines } = opening(password)
  try {
    for (const [name, way] of Object.entries(WAYS)) {
      const error = await way(database).catch((thrown: unknown) => thrown)
      expect(error, name).toMatchObject({ code: 'unavailable', message: expect.stringContaining('refuses the login') })
      // What the command line prints; the answer to a request has the message alone.
      expect(textOf(error), name).toContain(reason)
      expect((error as Error).message, name).not.toContain(user)
    }
    expect(lines).toEqual([
      expect.objectContaining({
        level: 50,
        reason: expect.stringContaining(reason),
        msg: expect.stringMatching(/refuses the login.*DATABASE_/),
      }),
    ])
  } finally {
    await database.close()
  }
}

it('a password that holds no longer is unavailable at once, whatever way is taken, and one line of the log says why', async () => {
  await expectRefusal('the-one-before-the-last', `password authentication failed for user "${user}"`)
})

it('so is a user that may not log in, and the way back is found without a restart', async () => {
  await asAdmin(`ALTER ROLE ${user} NOLOGIN`)
  await expectRefusal('the-present-password', `role "${user}" is not permitted to log in`)
  const { database, lines } = opening('the-present-password')
  await expect(database.ping()).rejects.toMatchObject({ code: 'unavailable' })
  await asAdmin(`ALTER ROLE ${user} LOGIN`)
  await database.ping()
  await asAdmin(`ALTER ROLE ${user} NOLOGIN`)
  await expect(Promise.all([database.ping(), database.ping()])).rejects.toMatchObject({ code: 'unavailable' })
  await database.close()
  // Told anew once it has worked in between; the connection of before may have served one of both.
  expect(lines.map(({ level }) => level)).toEqual([50, 50])
})
