import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { counted } from '../support/counts.ts'
import { removeFolder } from '../support/service.ts'

const WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

/** A server of its own, for all whose commits wait for a standby that never comes: with the proof. */
describe.runIf(counted(0, 1) === 1)('a commit that waits for a standby while the server ends its connection', () => {
  it('is done and told as unknown, whatever way was taken: it never runs again', { timeout: 60_000 }, async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-standby-'))
    const postgres = await startEmbeddedPostgres({ dir, settings: ['fsync=off'] })
    const direct = new pg.Client(postgres.url)
    const database = openDatabase({ url: postgres.url, poolSize: 2, patienceMs: 5_000 })
    try {
      await direct.connect()
      await direct.query('SET synchronous_commit = local')
      await direct.query('CREATE TABLE note (id int)')
      await direct.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
      await direct.query('SELECT pg_reload_conf()')
      const standbys = async () =>
        (await direct.query('SHOW synchronous_standby_names')).rows[0].synchronous_standby_names
      await expect.poll(standbys).toBe('nobody')
      const ways = [
        (sql: string) => database.transaction((tx) => tx.$executeRawUnsafe(sql)),
        (sql: string) => database.enclose((client) => client.query(sql)),
        (sql: string) => database.rawTransaction((client) => client.query(sql)),
        (sql: string) => database.query({ text: sql }),
      ]
      for (const [id, way] of ways.entries()) {
        const told = way(`INSERT INTO note VALUES (${id})`).catch((error: unknown) => error)
        await expect.poll(async () => (await direct.query(WAITS)).rowCount).toBe(1)
        await direct.query(`SELECT pg_terminate_backend(pid, 5000) FROM (${WAITS}) AS waiting`)
        expect(await told).toMatchObject({ name: 'ConnectionLost', isOrderly: false })
      }
      expect((await direct.query('SELECT id FROM note ORDER BY id')).rows).toEqual(ways.map((_, id) => ({ id })))
    } finally {
      await database.close()
      await direct.end()
      await postgres.stop()
      removeFolder(dir)
    }
  })
})
