/** What the lake's answers look like, for the API document: one snapshot, followed from its request to its manifest. */

const ID = '20260305t020000z-01kaq3c9'
const SHA256 = '9f2c0c7f0f6a4b1d8e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d'

const key = `lake/v1/studios/snapshot_date=2026-03-05/snapshot_id=${ID}/part-00000.parquet`

const tables = [
  { name: 'studios', state: 'uploaded', estimatedRows: 30, rowsCopied: 30, rowsEncoded: 30, bytes: 9_214, files: 1 },
]

export const requestedSnapshot = {
  id: ID,
  sequence: 12,
  state: 'requested',
  requestedBy: 'api_key:k3v9x0m2q7ab',
  requestedAt: '2026-03-05T02:00:00.000Z',
  startedAt: null,
  preparedAt: null,
  committedAt: null,
  publishedAt: null,
  retiringAt: null,
  endedAt: null,
  abandoned: false,
  takenAt: null,
  totalRows: null,
  totalBytes: null,
  manifestSha256: null,
  phase: null,
  phases: [],
  rowsPerSecond: null,
  measurements: null,
  problem: null,
  tables: [],
} as const

export const publishedSnapshot = {
  ...requestedSnapshot,
  state: 'published',
  startedAt: '2026-03-05T02:00:00.412Z',
  preparedAt: '2026-03-05T02:00:03.120Z',
  committedAt: '2026-03-05T02:00:03.655Z',
  publishedAt: '2026-03-05T02:00:05.208Z',
  endedAt: '2026-03-05T02:00:05.208Z',
  takenAt: '2026-03-05T02:00:00.731204Z',
  totalRows: 30,
  totalBytes: 9_214,
  manifestSha256: SHA256,
  phases: [
    { name: 'planning', seconds: 0.31 },
    { name: 'uploading', seconds: 2.38 },
    { name: 'preparing', seconds: 0.018 },
    { name: 'crawler_wait', seconds: 0.05 },
    { name: 'completing', seconds: 0.42 },
    { name: 'manifest', seconds: 0.065 },
    { name: 'catalogue', seconds: 0.12 },
    { name: 'crawl', seconds: 1.1 },
    { name: 'views', seconds: 0.333 },
  ],
  rowsPerSecond: 13,
  measurements: {
    partsSent: 1,
    partsResent: 0,
    slowDowns: 0,
    callsRepeated: 0,
    unrepresentable: 0,
    driftFindings: 0,
    readers: 1,
    cpuSeconds: 1.42,
    peakRssBytes: 180_355_072,
  },
  tables,
} as const

const manifest = {
  manifest_version: 1,
  snapshot_id: ID,
  snapshot_date: '2026-03-05',
  sequence: 12,
  fence: 3,
  software: { version: '0.1.0', git_sha: null },
  previous_snapshot_id: '20260304t020000z-01kan1x4',
  started_at: '2026-03-05T02:00:00.412Z',
  prepared_at: '2026-03-05T02:00:03.120Z',
  source: {
    database: 'accounts',
    pg_version: '18.4',
    system_identifier: '7561198000000001234',
    role: 'primary',
    snapshot: '1842:1842:',
    xmin: '1842',
    xmax: '1842',
    wal_lsn: '0/5A21F08',
    taken_at: '2026-03-05T02:00:00.731204Z',
  },
  contract_set_fingerprint: SHA256,
  pseudonym_key_version: 1,
  erasure_watermark: null,
  tables: [
    {
      name: 'studios',
      contract_version: 1,
      fingerprint: SHA256,
      rows: 30,
      bytes: 9_214,
      columns: [
        {
          name: 'slug',
          pg_type: 'text',
          parquet_physical: 'BYTE_ARRAY',
          parquet_logical: 'STRING',
          athena_type: 'string',
          nullable: false,
          class: 'public',
          action: 'include',
        },
      ],
      unrepresentable: {},
      files: [
        {
          key,
          bytes: 9_214,
          rows: 30,
          row_groups: 1,
          crc32: 'yZRlqg==',
          sha256: SHA256,
          tail_sha256: SHA256,
          tail_bytes: 4_410,
          min_key: null,
          max_key: null,
          columns: { slug: { nulls: 0, sum: '5f3a2b1c0d9e8f7a' } },
        },
      ],
    },
  ],
  totals: { rows: 30, bytes: 9_214, files: 1 },
} as const

export const snapshotWithManifest = { ...publishedSnapshot, manifest } as const

export const lakeTable = {
  name: 'studios',
  glueTable: 'studios',
  description: 'A partner company, from first contact to closed',
  version: 1,
  fingerprint: SHA256,
  views: ['studios_latest', 'studios_daily'],
  columns: [
    {
      name: 'slug',
      type: 'string',
      nullable: false,
      class: 'public',
      action: 'include',
      source: 'slug',
      reason: null,
      description: 'Name in addresses, unique',
      unit: null,
      values: null,
      deprecated: false,
    },
  ],
  withheld: [],
  lastSnapshot: { id: ID, takenAt: '2026-03-05T02:00:00.731204Z', rows: 30, bytes: 9_214 },
} as const

const sql = 'SELECT country, count(*) AS players FROM players_latest GROUP BY 1 ORDER BY 2 DESC LIMIT 2'

export const queryRun = {
  id: '0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11',
  name: null,
  state: 'succeeded',
  sql,
  submittedAt: '2026-03-05T09:30:00.000Z',
  completedAt: '2026-03-05T09:30:00.480Z',
  bytesScanned: 18_204,
  queuedMs: 12,
  engineMs: 391,
  problem: null,
} as const

export const startedRun = {
  ...queryRun,
  state: 'queued',
  completedAt: null,
  bytesScanned: 0,
  queuedMs: 0,
  engineMs: 0,
} as const

export const savedQuery = {
  name: 'registrations-per-day',
  database: 'rocketgames',
  title: 'Registrations per day',
  description: 'New players of each of the last days',
  sql: 'SELECT CAST(created_at AS date) AS day, count(*) AS players FROM players_latest GROUP BY 1',
  parameters: [{ name: 'days', type: 'integer', description: 'How many', default: 30, oneOf: null, min: 1, max: 365 }],
} as const

export const newHold = {
  holder: 'nightly report',
  reason: 'reads the snapshot until noon',
  expiresAt: '2026-03-06T12:00:00Z',
} as const

export const newQuery = { sql } as const

export const queryResult = {
  columns: [
    { name: 'country', type: 'varchar' },
    { name: 'players', type: 'bigint' },
  ],
  data: [
    ['SE', 2_841],
    ['DE', 2_610],
  ],
  page: { limit: 100, hasMore: false, next: null, prev: null },
} as const

export const queryResultCsv = '"country","players"\n"SE","2841"\n"DE","2610"\n'
