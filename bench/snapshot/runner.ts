/**
 * One snapshot in a process of its own, as `rocketgames snapshot` runs it, without catalogue and views; prints one line of JSON with
 * what the process used between `planning` and `committed`.
 */
import { pino } from 'pino'
import { openDatabase } from '../../src/database/database.ts'
import { contracts } from '../../src/lake/contract.ts'
import type { Publisher } from '../../src/lake/publication.ts'
import type { Lake } from '../../src/lake/snapshot/lake.ts'
import { peakRssBytes } from '../../src/lake/snapshot/peak-memory.ts'
import { runSnapshot } from '../../src/lake/snapshot/run.ts'
import { RunMeasurements } from '../../src/lake/snapshot/run-measurements.ts'
import { LakeBucket } from '../../src/lake/storage/lake-bucket.ts'
import { s3Client } from '../../src/lake/storage/s3-client.ts'

const { accessKeyId, bucket, databaseUrl, endpoint, secretAccessKey, settings } = JSON.parse(
  process.argv[2] ?? '{}',
) as {
  databaseUrl: string
  endpoint: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  settings?: Partial<Lake['settings']>
}

const MIB = 1024 * 1024
const nothing = async () => {}
const publisher: Publisher = {
  crawlerReady: nothing,
  register: nothing,
  publishViews: nothing,
  unregister: nothing,
  findings: async () => [],
  plannedChanges: async () => ({ changes: [], crawler: [], drifts: [] }),
}
// The client of the lake itself, which takes its credentials from the environment.
Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey })
const client = s3Client({ region: 'us-east-1', endpoint })
const database = openDatabase({ url: databaseUrl, poolSize: 3 })
const lake: Lake = {
  database,
  sourceUrl: databaseUrl,
  bucket: new LakeBucket({ client, bucket }),
  publisher,
  contracts,
  settings: {
    codec: 'zstd',
    pseudonymKey: Buffer.alloc(32, 7),
    pseudonymKeyVersion: 1,
    fileTargetBytes: 192 * MIB,
    rowGroupBytes: 64 * MIB,
    rowGroupRows: 262_144,
    partBytes: 8 * MIB,
    partsInFlight: 2,
    parallelTableBytes: 4096 * MIB,
    leaseTtlMs: 60_000,
    maxSnapshotAgeMs: 45 * 60_000,
    preparedTtlMs: 6 * 3_600_000,
    crawlerWaitMs: 60_000,
    retireGraceMs: 3_600_000,
    keepAllMs: 48 * 3_600_000,
    dailyDays: 15,
    fault: undefined,
    ...settings,
  },
  software: { version: '0.0.0', gitSha: null },
  logger: pino({ level: 'error' }),
  measurements: new RunMeasurements(),
}

let before = process.cpuUsage()
let cpu = before
const view = await runSnapshot(lake, {
  requestedBy: 'bench',
  progress: (event) => {
    if (event.kind !== 'state') return
    if (event.state === 'planning') before = process.cpuUsage()
    if (event.state === 'committed') cpu = process.cpuUsage(before)
  },
})
console.log(
  JSON.stringify({
    rows: view.totalRows,
    bytes: view.totalBytes,
    wallMs: (view.committedAt?.getTime() ?? 0) - (view.startedAt?.getTime() ?? 0),
    cpuMs: (cpu.user + cpu.system) / 1000,
    peakRssMiB: peakRssBytes() / 2 ** 20,
  }),
)
await database.close()
client.destroy()
