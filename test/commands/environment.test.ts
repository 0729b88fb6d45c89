import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorkplace } from '../../src/commands/environment.ts'
import { identify } from '../../src/local/process-identity.ts'
import { announceRunning } from '../../src/local/running.ts'
import { createLogger } from '../../src/logger.ts'

const log = createLogger({ level: 'silent' })
let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'workplace-'))
  const values = {
    ...{ API_URL: 'http://127.0.0.1:3000', API_KEY: 'a-key', DATABASE_URL: 'postgresql://local:x@127.0.0.1:5555/here' },
    ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', LAKE_BUCKET: 'rocketgames-lake', ROCKETGAMES_LOCAL: dir },
  }
  announceRunning(dir, { process: identify(), ready: true, values })
})
afterEach(() => rmSync(dir, { recursive: true }))

const joined = async (given: Record<string, string>) => {
  const { config, env } = await openWorkplace({ LOCAL_DATA_DIR: dir, ...given }, { log })
  return { url: config.databaseUrl, bucket: config.lake?.bucket, env }
}

describe('a command beside a service that runs on the local default', () => {
  it('works on its database and its lake', async () => {
    expect(await joined({})).toMatchObject({
      url: 'postgresql://local:x@127.0.0.1:5555/here',
      bucket: 'rocketgames-lake',
    })
  })

  it('works on the database that it was given, by address or by parts, and on the lake of the service', async () => {
    expect(await joined({ DATABASE_URL: 'postgresql://me:x@db.example/mine' })).toMatchObject({
      url: 'postgresql://me:x@db.example/mine',
      bucket: 'rocketgames-lake',
    })
    const parts = { DATABASE_HOST: 'db.example', DATABASE_NAME: 'mine', DATABASE_USER: 'me', DATABASE_PASSWORD: 'x' }
    const { url, bucket, env } = await joined(parts)
    expect([url, bucket]).toEqual(['postgresql://me:x@db.example:5432/mine?sslmode=verify-full', 'rocketgames-lake'])
    // What a child of it gets.
    expect(env).not.toHaveProperty('DATABASE_URL')
  })
})
