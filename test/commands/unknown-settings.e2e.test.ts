import { expect, it } from 'vitest'
import { runCommand } from '../support/service.ts'

it('a setting whose name is mistyped is told at the start, once and without its value', async () => {
  const env = { DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d', DATABASE_WAIT: '0s', LAKE_SHEDULE: 'hidden' }
  const { stderr } = await runCommand(['migrate'], env)
  const told = stderr.split('\n').filter((line) => line.includes('LAKE_SHEDULE'))
  expect(told.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 40, unknown: ['LAKE_SHEDULE (LAKE_SCHEDULE?)'] }),
  ])
  expect(stderr).not.toContain('hidden')
})
