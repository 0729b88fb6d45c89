import { describe, expect, it } from 'vitest'
import { sameSelect } from '../../../src/lake/athena/view-text.ts'
import { viewsOf } from '../../../src/lake/athena/views.ts'
import { contracts } from '../../../src/lake/contract.ts'

const PLACE = { database: 'rocketgames', rawDatabase: 'rocketgames_raw' }
const ID = '20261121t020000z-00000001'
const snapshot = {
  ...{ snapshotId: ID, snapshotDate: '2026-11-21', sequence: 1, takenAt: '2026-11-21T02:00:01.123Z' },
  ...{ walLsn: '0/16B3748', totalRows: 12, totalBytes: 3_456, contractFingerprint: 'f'.repeat(64) },
  tableRows: { players: 12 },
}
const body = (name: string) => viewsOf(contracts, [snapshot], PLACE).find((view) => view.name === name)?.body ?? ''

describe('a stored view', () => {
  it('is the same when the engine has printed it in its own way', () => {
    const columns = contracts.find((contract) => contract.name === 'players')?.columns.map((column) => column.name)
    const printed = `SELECT\n  ${[...(columns ?? []), 'snapshot_date', 'snapshot_id'].join('\n, ')}
FROM
  rocketgames_raw.players
WHERE ((snapshot_date = '2026-11-21') AND ("snapshot_id" = '${ID}'))\n`
    expect(sameSelect(body('players_latest'), printed)).toBe(true)
    const list = `SELECT
  CAST(snapshot_id AS varchar) snapshot_id
, CAST(snapshot_date AS varchar) snapshot_date
, CAST(sequence AS bigint) sequence
, CAST(taken_at AS timestamp(3)) taken_at
, CAST(wal_lsn AS varchar) wal_lsn
, CAST(total_rows AS bigint) total_rows
, CAST(total_bytes AS bigint) total_bytes
, CAST(contract_fingerprint AS varchar) contract_fingerprint
FROM
  (
 VALUES
     ROW ('${ID}', '2026-11-21', 1, '2026-11-21 02:00:01.123', '0/16B3748', 12, 3456, '${'f'.repeat(64)}')
)  live (snapshot_id, snapshot_date, sequence, taken_at, wal_lsn, total_rows, total_bytes, contract_fingerprint)`
    expect(sameSelect(body('snapshots'), list)).toBe(true)
  })

  it('is the same where another version of the printer names the catalogue, or a type by its other name', () => {
    const latest = body('players_latest')
    for (const name of ['awsdatacatalog.rocketgames_raw', '"awsdatacatalog"."rocketgames_raw"']) {
      const printed = latest.replace('rocketgames_raw', name)
      expect(printed).not.toBe(latest)
      expect(sameSelect(latest, printed)).toBe(true)
    }
    expect(sameSelect('CAST(a AS integer) <> 1', '(CAST(a AS INT) != 1)')).toBe(true)
    expect(sameSelect(latest, latest.replace('rocketgames_raw', 'elsewhere.rocketgames_raw'))).toBe(false)
    expect(sameSelect(latest, latest.replace('rocketgames_raw.', "'awsdatacatalog'."))).toBe(false)
  })

  it('is another one when a value, a column, a condition or a table differs', () => {
    const latest = body('players_latest')
    const changes = [
      latest.replace(ID, ID.replace('1', '2')),
      latest.replace('country, ', ''),
      latest.replace(' AND ', ' OR '),
      latest.replace('rocketgames_raw.players', 'rocketgames_raw.players_v2'),
      latest.replace("'2026-11-21'", "'2026-11-21 '"),
      `${latest} LIMIT 10`,
      '',
    ]
    for (const changed of changes) expect(sameSelect(latest, changed), changed).toBe(false)
    expect(sameSelect(latest, `-- a comment\n${latest};`)).toBe(true)
  })
})
