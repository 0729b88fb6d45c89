import { describe, expect, it } from 'vitest'
import { createView, expectedCounts, viewsOf } from '../../../src/lake/athena/views.ts'
import { contracts, type ExportColumn } from '../../../src/lake/contract.ts'
import type { PublishedSnapshot } from '../../../src/lake/publication.ts'

const PLACE = { database: 'rocketgames', rawDatabase: 'rocketgames_raw' }
const COUNTS = Object.fromEntries(contracts.map((contract, i) => [contract.name, i]))

function snapshot(sequence: number, day: string, time: string, tableRows = COUNTS): PublishedSnapshot {
  return {
    snapshotId: `${day.replaceAll('-', '')}t${time}z-0000000${sequence}`,
    snapshotDate: day,
    sequence,
    takenAt: `${day}T02:00:01.123456+00:00`,
    walLsn: '0/16B3748',
    totalRows: 12,
    totalBytes: 3_456,
    contractFingerprint: 'f'.repeat(64),
    tableRows,
  }
}

const FIRST = snapshot(1, '2026-11-21', '020000')
const NOON = snapshot(2, '2026-11-22', '120000')
// Taken later, with a clock that was set back: the sequence decides.
const LAST = snapshot(3, '2026-11-22', '110000')

const bodies = (live: readonly PublishedSnapshot[]) =>
  new Map(viewsOf(contracts, live, PLACE).map((view) => [view.name, view.body]))

describe('views', () => {
  it('list every exported column in order, then the snapshot, with literal predicates', () => {
    const [view] = viewsOf(contracts, [FIRST], PLACE).filter((each) => each.name === 'players_latest')
    expect(view && createView(view, PLACE)).toBe(
      `CREATE OR REPLACE VIEW rocketgames.players_latest AS
SELECT player_ref, email_verified, birth_year, country, language, status, closed_at, erased_at, version, created_at, updated_at, snapshot_date, snapshot_id
FROM rocketgames_raw.players
WHERE snapshot_date = '2026-11-21' AND snapshot_id = '20261121t020000z-00000001'`,
    )
  })

  it('show the highest sequence as latest and the last one of each day as daily, in any order given', () => {
    const found = bodies([LAST, FIRST, NOON])
    expect(found.get('games_latest')).toContain(`snapshot_id = '${LAST.snapshotId}'`)
    expect(found.get('games_daily')).toContain(`snapshot_date IN ('2026-11-21', '2026-11-22')`)
    expect(found.get('games_daily')).toContain(`snapshot_id IN ('${FIRST.snapshotId}', '${LAST.snapshotId}')`)
  })

  it('exist for every table, and one lists the snapshots', () => {
    expect([...bodies([FIRST]).keys()].sort()).toEqual(
      ['snapshots', ...contracts.flatMap((c) => [`${c.lakeTable}_daily`, `${c.lakeTable}_latest`])].sort(),
    )
    expect(bodies([FIRST, NOON]).get('snapshots')).toContain(
      `('${NOON.snapshotId}', '2026-11-22', 2, '2026-11-22 02:00:01.123', '0/16B3748', 12, 3456, '${'f'.repeat(64)}')`,
    )
  })

  it('show nothing when there is no snapshot', () => {
    const found = bodies([])
    expect(found.get('players_latest')).toContain(`snapshot_date = '' AND snapshot_id = ''`)
    expect(found.get('snapshots')).toContain(`WHERE snapshot_id <> ''`)
  })

  it('leave a snapshot out of the views of a table that it does not have', () => {
    const { games: _, ...without } = COUNTS
    const older = snapshot(1, '2026-11-21', '020000')
    const found = bodies([older, snapshot(2, '2026-11-22', '020000', without)])
    expect(found.get('games_latest')).toContain(older.snapshotId)
    expect(found.get('players_latest')).not.toContain(older.snapshotId)
  })

  it('expect the rows of the manifest that they show', () => {
    const live = [FIRST, NOON]
    const counts = expectedCounts(contracts, live, PLACE)
    expect(counts.map(({ view, rows }) => [view, rows])).toEqual(contracts.map((c, i) => [`${c.lakeTable}_latest`, i]))
    const shown = new Map(viewsOf(contracts, live, PLACE).map((view) => [view.name, view.body]))
    expect(counts.map(({ body }) => body)).toEqual(counts.map(({ view }) => shown.get(view ?? '')))
  })

  it('show every snapshot of a table in its last version; the versions before it are counted all the same', () => {
    const [players] = contracts.filter((contract) => contract.name === 'players')
    if (players === undefined) throw new Error('players are exported')
    const versions = [
      { ...players, earlier: true },
      { ...players, version: 2, name: 'players_v2' },
    ]
    const live = [
      snapshot(1, '2026-11-21', '020000', { players: 5 }),
      snapshot(2, '2026-11-22', '020000', { players: 6, players_v2: 7 }),
    ]
    const found = new Map(viewsOf(versions, live, PLACE).map((view) => [view.name, view]))
    expect([...found.keys()]).toEqual(['snapshots', 'players_daily', 'players_latest'])
    expect(found.get('players_latest')?.body).toContain('FROM rocketgames_raw.players_v2')
    expect(found.get('players_daily')?.snapshotIds).toEqual(live.map((each) => each.snapshotId))
    expect(expectedCounts(versions, live, PLACE).map(({ table, view, rows }) => [table, view, rows])).toEqual([
      ['players', undefined, 6],
      ['players_v2', 'players_latest', 7],
    ])
  })

  it('make the types of the current version out of a snapshot that holds an earlier one only', () => {
    const [games] = contracts.filter((contract) => contract.name === 'games')
    if (games === undefined) throw new Error('games are exported')
    const changed = games.columns.flatMap((column): ExportColumn[] => {
      if (column.name === 'min_age') return [{ ...column, athenaType: 'bigint' }]
      if (column.name === 'slug') return [{ ...column, name: 'handle', about: { renamedFrom: 'slug' } }]
      return column.name === 'version' ? [column, { ...column, name: 'fresh', athenaType: 'timestamp' }] : [column]
    })
    const versions = [
      { ...games, earlier: true },
      { ...games, version: 2, name: 'games_v2', columns: changed },
    ]
    const old = snapshot(1, '2026-11-21', '020000', { games: 5 })
    const both = snapshot(2, '2026-11-22', '020000', { games: 6, games_v2: 6 })
    const body = (live: readonly PublishedSnapshot[], name: string) =>
      viewsOf(versions, live, PLACE).find((view) => view.name === name)?.body
    const earlier = `SELECT id, studio_id, slug AS handle, title, genres, TRY_CAST(min_age AS bigint) AS min_age, release_date, release_precision, status, status_changed_at, external_ref, version, CAST(NULL AS timestamp(3)) AS fresh, created_at, updated_at, snapshot_date, snapshot_id
FROM rocketgames_raw.games
WHERE snapshot_date = '2026-11-21' AND snapshot_id = '${old.snapshotId}'`
    // Before the first snapshot of the new version the views show what there is.
    expect(body([old], 'games_latest')).toBe(earlier)
    expect(expectedCounts(versions, [old], PLACE).map(({ rows }) => rows)).toEqual([5, 5])
    expect(body([old, both], 'games_daily')?.split('\nUNION ALL\n')).toEqual([
      expect.stringMatching(
        /^SELECT id, studio_id, handle, .*\nFROM rocketgames_raw\.games_v2\nWHERE snapshot_date = '2026-11-22'/,
      ),
      earlier,
    ])
  })

  it('fit into one statement, whatever the number of live snapshots', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const at = new Date(Date.UTC(2026, 10, 1) + i * 60_000).toISOString()
        return {
          ...snapshot(i + 1, at.slice(0, 10), at.slice(11, 19).replaceAll(':', '')),
          snapshotId: `${at.slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()}z-0000000a`,
        }
      })
    const longest = (live: readonly PublishedSnapshot[]) =>
      Math.max(...viewsOf(contracts, live, PLACE).map((view) => Buffer.byteLength(createView(view, PLACE))))
    // A snapshot an hour for two days and one of each of 15 days.
    expect(longest(many(63))).toBeLessThan(16_384)
    const twoDaysOfMinutes = many(2_880)
    expect(longest(twoDaysOfMinutes)).toBeLessThan(262_144)
    const [list] = viewsOf(contracts, twoDaysOfMinutes, PLACE)
    expect(list?.snapshotIds.length).toBeGreaterThan(1_000)
    expect(list?.snapshotIds.at(-1)).toBe(twoDaysOfMinutes.at(-1)?.snapshotId)
  })

  it('never take a text from outside that is no id, date or number', () => {
    expect(() => bodies([{ ...FIRST, snapshotId: "x' OR '1'='1" }])).toThrow(RangeError)
    expect(() => bodies([{ ...FIRST, snapshotDate: "2026-11-21'" }])).toThrow(RangeError)
    expect(bodies([{ ...FIRST, walLsn: "0'/1" }]).get('snapshots')).toContain(`'0''/1'`)
  })
})
