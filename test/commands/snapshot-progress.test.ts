import { expect, test } from 'vitest'
import { jsonLines, plainLines } from '../../src/commands/snapshot-progress.ts'
import type { Progress } from '../../src/lake/snapshot/lake.ts'

const ID = '20261122t020000z-00000001'

function run(told: Progress): void {
  told({ kind: 'waiting', reason: 'process 7 is writing the lake' })
  told({ kind: 'state', snapshotId: ID, state: 'uploading' })
  told({ kind: 'phase', snapshotId: ID, phase: 'uploading' })
  told({
    kind: 'tables',
    expected: new Map([
      ['players', 2_000_000],
      ['games', null],
    ]),
  })
  for (let rows = 1; rows <= 1000; rows++) told({ kind: 'table', table: 'players', rows, bytes: rows, done: false })
  told({ kind: 'table', table: 'players', rows: 1234, bytes: 2048, done: true })
  told({ kind: 'table', table: 'games', rows: 0, bytes: 4, done: true })
  told({ kind: 'phase', snapshotId: ID, phase: 'crawl' })
  told({ kind: 'state', snapshotId: ID, state: 'published' })
}

test('where there is no terminal, progress is a line for each state and phase, and one for each table that is done', () => {
  const lines: string[] = []
  run(plainLines((line) => lines.push(line)))
  expect(lines.map((line) => line.replace(/ +[\d,]+ rows\/s$/, ''))).toEqual([
    'Waiting: process 7 is writing the lake',
    `${ID}  uploading`,
    '  reading and uploading',
    '  players                     1,234 rows     2.0 KiB',
    '  games                           0 rows         4 B',
    '  crawling',
    `${ID}  published`,
  ])
})

test('for programs it is one JSON object a line: every state and phase, a table at its first row, once a second and at its end', () => {
  const lines: string[] = []
  run(jsonLines((line) => lines.push(line)))
  const events = lines.map((line) => JSON.parse(line))
  for (const { time } of events) expect(Date.parse(time)).toBeGreaterThan(0)
  const told = events.map(({ time: _, ...event }) => event)
  expect(told.filter(({ kind }) => kind !== 'table')).toEqual([
    { kind: 'waiting', reason: 'process 7 is writing the lake' },
    { kind: 'state', snapshotId: ID, state: 'uploading' },
    { kind: 'phase', snapshotId: ID, phase: 'uploading' },
    { kind: 'tables', expected: { players: 2_000_000, games: null } },
    { kind: 'phase', snapshotId: ID, phase: 'crawl' },
    { kind: 'state', snapshotId: ID, state: 'published' },
  ])
  const players = told.filter(({ table }) => table === 'players')
  expect(players.at(0)).toMatchObject({ rows: 1, done: false })
  expect(players.at(-1)).toEqual({ kind: 'table', table: 'players', rows: 1234, bytes: 2048, done: true })
  expect(players.length).toBeLessThan(100)
})
