import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  contractKey,
  isSnapshotId,
  LAKE_PREFIX,
  manifestKey,
  newSnapshotId,
  parseManifestKey,
  parsePartKey,
  partitionPrefix,
  partKey,
  retiredKey,
  snapshotDate,
  tablePrefix,
} from '../../../src/lake/object-keys.ts'

const id = '20261122t020000z-01kaq3c9'

describe('snapshot ids', () => {
  test('are the UTC second and 8 random characters', () => {
    const made = newSnapshotId(new Date('2026-11-22T02:00:00.999Z'))
    expect(made).toMatch(/^20261122t020000z-[0-9a-hjkmnp-tv-z]{8}$/)
    expect(snapshotDate(made)).toBe('2026-11-22')
  })

  test('of one second differ', () => {
    const now = new Date()
    expect(new Set(Array.from({ length: 500 }, () => newSnapshotId(now))).size).toBe(500)
  })

  test('of another form are refused', () => {
    for (const text of ['', '20261122', id.toUpperCase(), `${id}0`, `${id}/..`, '20261122t020000z-01kaq3ci']) {
      expect(isSnapshotId(text), text).toBe(false)
      expect(() => partitionPrefix('players', text), text).toThrow(RangeError)
      expect(() => manifestKey(text), text).toThrow(RangeError)
    }
  })
})

describe('keys', () => {
  test('follow the layout of the lake', () => {
    expect(partKey('players', id, 0, 17)).toBe(
      `lake/v1/players/snapshot_date=2026-11-22/snapshot_id=${id}/part-00-00017.parquet`,
    )
    expect(tablePrefix('players_v2')).toBe('lake/v1/players_v2/')
    expect(manifestKey(id)).toBe(`lake-meta/v1/manifests/${id}.json`)
    expect(retiredKey(id)).toBe(`lake-meta/v1/retired/${id}.json`)
    expect(contractKey('games', 'a'.repeat(64))).toBe(`lake-meta/v1/contracts/games/${'a'.repeat(64)}.json`)
  })

  test('of files can be read back', () => {
    const table = fc.stringMatching(/^[a-z][a-z0-9_]{0,62}$/)
    fc.assert(
      fc.property(
        table,
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 0, max: 99_999 }),
        (name, reader, number) => {
          const key = partKey(name, id, reader, number)
          expect(parsePartKey(key)).toEqual({ table: name, snapshotDate: '2026-11-22', snapshotId: id, reader, number })
        },
      ),
    )
  })

  test('that no snapshot makes are not taken for files', () => {
    const key = partKey('players', id, 0, 0)
    for (const other of [
      key.replace('lake/v1', 'lake/v2'),
      key.replace('2026-11-22', '2026-11-23'),
      key.replace('.parquet', '.tmp'),
      `${LAKE_PREFIX}players/${id}.parquet`,
      `x${key}`,
    ]) {
      expect(parsePartKey(other), other).toBeUndefined()
    }
  })

  test('are refused for names and numbers out of range', () => {
    expect(() => partKey('Players', id, 0, 0)).toThrow(RangeError)
    expect(() => partKey('../players', id, 0, 0)).toThrow(RangeError)
    expect(() => partKey('players', id, 100, 0)).toThrow(RangeError)
    expect(() => partKey('players', id, 0, 100_000)).toThrow(RangeError)
    expect(() => partKey('players', id, 0, -1)).toThrow(RangeError)
  })

  test('of manifests can be read back, those of other objects cannot', () => {
    expect(parseManifestKey(manifestKey(id))).toBe(id)
    expect(parseManifestKey(retiredKey(id))).toBeUndefined()
    expect(parseManifestKey('lake-meta/v1/manifests/x.json')).toBeUndefined()
  })
})
