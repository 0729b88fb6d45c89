import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ControlRows } from '../../../src/lake/snapshot/control-rows.ts'
import type { ProgressEvent } from '../../../src/lake/snapshot/lake.ts'
import { TableProgress } from '../../../src/lake/snapshot/table-progress.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

function watched(write: () => Promise<void> = async () => {}) {
  const events: ProgressEvent[] = []
  const written: unknown[] = []
  const failures: unknown[] = []
  const rows = {
    table: (name: string, change: object) => {
      written.push({ name, ...change })
      return write()
    },
  } as unknown as ControlRows
  const progress = new TableProgress(
    { rows, progress: (event) => events.push(event), fail: (error) => failures.push(error) },
    'players',
  )
  return { events, written, failures, progress }
}

test('progress is the sum over the readers, told each time, written every two seconds at most', async () => {
  const { events, progress, written } = watched()
  progress.report(0, 10, 100)
  progress.report(1, 5, 50)
  expect(events.at(-1)).toEqual({ kind: 'table', table: 'players', rows: 15, bytes: 150, done: false })
  expect(written).toEqual([])
  for (let ms = 0; ms < 6_000; ms += 200) {
    vi.advanceTimersByTime(200)
    progress.report(0, 10 + ms, 100)
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
  }
  expect(written).toHaveLength(3)
  expect(written[0]).toEqual({ name: 'players', state: 'copying', rowsEncoded: 1_815, bytes: 150 })
  // A reader that reads again begins anew.
  progress.report(1, 0, 0)
  await progress.done()
  expect(events.at(-1)).toEqual({ kind: 'table', table: 'players', rows: 5_810, bytes: 100, done: true })
})

test('a progress that cannot be written ends the run; one that is being written is over before the table is', async () => {
  const { failures, progress } = watched(async () => {
    throw new Error('fenced')
  })
  vi.advanceTimersByTime(2_000)
  progress.report(0, 1, 1)
  await progress.done()
  expect(failures).toEqual([new Error('fenced')])
})
