import { expect, it } from 'vitest'
import { runCommand } from '../support/service.ts'

const LAKE = { LAKE_BUCKET: 'nowhere', LAKE_RESULTS: 's3://nowhere/', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }

it('care whose database is away could not run, and says what to do about that', async () => {
  const env = { ...LAKE, DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d', DATABASE_WAIT: '0s', LOG_LEVEL: 'silent' }
  const { code, stderr } = await runCommand(['care'], env)
  expect(stderr).toContain('unavailable: The database cannot be reached; try again: connect ECONNREFUSED 127.0.0.1:1')
  expect(stderr).toContain('What to do: Bring back what is away')
  expect(code).toBe(2)
})
