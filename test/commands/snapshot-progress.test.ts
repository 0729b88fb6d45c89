import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { bars, jsonLines, plainLines } from '../../src/commands/snapshot-progress.ts'
import type { Progress, ProgressEvent } from '../../src/lake/snapshot/lake.ts'

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

/** A terminal that remembers everything that was written to it. */
function terminal(columns: number) {
  let text = ''
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk)
      done()
    },
  })
  return {
    stream: Object.assign(stream, { columns, isTTY: true }),
    lines: () => stripVTControlCharacters(text).split(/[\r\n]+/),
  }
}

const RUN: readonly ProgressEvent[] = [
  { kind: 'state', snapshotId: 'one', state: 'planning' },
  { kind: 'phase', snapshotId: 'one', phase: 'planning' },
  { kind: 'phase', snapshotId: 'one', phase: 'uploading' },
  { kind: 'tables', expected: new Map([['player_identities', 40_000_000]]) },
  { kind: 'table', table: 'player_identities', rows: 38_123_456, bytes: 900_000_000, done: true },
]

test.each([80, 120])('on a terminal of %i columns the bar of a table is shown with all that it tells', (columns) => {
  const { lines, stream } = terminal(columns)
  const shown = bars(stream)
  for (const event of RUN) shown.told(event)
  shown.end()
  expect(lines().some((line) => /^ {2}player_identities █+ +38,123,456 rows .*858\.3 MiB +\| +0\.0 s/.test(line))).toBe(
    true,
  )
})

test('on a terminal a phase that is over is ticked, and the one that a run failed in is not', () => {
  const { lines, stream } = terminal(100)
  const shown = bars(stream)
  for (const event of RUN) shown.told(event)
  shown.end()
  const ended = lines().filter((line) => /[✔✖]/.test(line))
  expect(ended).toEqual([
    expect.stringMatching(/^ {2}✔ checking database and contract/),
    expect.stringMatching(/^ {2}✖ reading and uploading/),
  ])
  shown.told({ kind: 'phase', snapshotId: 'one', phase: 'views' })
  shown.told({ kind: 'state', snapshotId: 'one', state: 'published' })
  shown.end()
  expect(
    lines()
      .filter((line) => /[✔✖]/.test(line))
      .at(-1),
  ).toMatch(/^ {2}✔ moving the views/)
})
