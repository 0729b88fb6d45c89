import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isSnapshotId } from './object-keys.ts'

/**
 * Manifest, version 1: everything that one snapshot is. Its PUT is the commit. The body is fixed in the state `prepared` and
 * never changes when another process takes over, so it holds no ETag and no time of the commit. No personal data, no key material.
 */

const count = z.number().int().nonnegative()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bound = z.union([z.string(), z.number(), z.null()])

const fileSchema = z.object({
  key: z.string(),
  bytes: count,
  rows: count,
  row_groups: count,
  /** Base 64 of the big-endian CRC32 of the whole object, as S3 shows it (`FULL_OBJECT`). */
  crc32: z.string(),
  sha256,
  /** Of the bytes from the start of the footer to the end of the file. */
  tail_sha256: sha256,
  tail_bytes: count,
  /** Bounds of the first column of the primary key where it is exported unchanged. */
  min_key: bound,
  max_key: bound,
  columns: z.record(z.string(), z.object({ nulls: count, sum: z.string().regex(/^[0-9a-f]{16}$/) })),
})

const columnSchema = z.object({
  name: z.string(),
  pg_type: z.string(),
  parquet_physical: z.string(),
  parquet_logical: z.string().nullable(),
  athena_type: z.string(),
  nullable: z.boolean(),
  class: z.string(),
  action: z.string(),
})

const tableSchema = z.object({
  name: z.string(),
  contract_version: count,
  fingerprint: sha256,
  rows: count,
  bytes: count,
  columns: z.array(columnSchema),
  /** By column with `onUnrepresentable: 'null'`: values written as NULL, by reason. */
  unrepresentable: z.record(z.string(), z.record(z.string(), count)),
  files: z.array(fileSchema),
})

export const manifestSchema = z.object({
  manifest_version: z.literal(1),
  snapshot_id: z.string().refine(isSnapshotId),
  snapshot_date: z.string(),
  sequence: count,
  fence: count,
  software: z.object({ version: z.string(), git_sha: z.string().nullable() }),
  previous_snapshot_id: z.string().nullable(),
  started_at: z.string(),
  prepared_at: z.string(),
  source: z.object({
    database: z.string(),
    pg_version: z.string(),
    system_identifier: z.string().nullable(),
    role: z.enum(['primary', 'standby']),
    /** `pg_current_snapshot()` of the transaction that read every table. */
    snapshot: z.string(),
    xmin: z.string(),
    xmax: z.string(),
    wal_lsn: z.string(),
    taken_at: z.string(),
  }),
  contract_set_fingerprint: sha256,
  pseudonym_key_version: count,
  erasure_watermark: z.string().nullable(),
  tables: z.array(tableSchema),
  totals: z.object({ rows: count, bytes: count, files: count }),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestTable = z.infer<typeof tableSchema>
export type ManifestFile = z.infer<typeof fileSchema>
export type ManifestColumn = z.infer<typeof columnSchema>

const currentSchema = z.object({
  manifest_version: z.literal(1),
  snapshot_id: z.string().refine(isSnapshotId),
  sequence: count,
  manifest_sha256: sha256,
})

/** Content of `CURRENT.json`: the snapshot that the views show. */
export type Current = z.infer<typeof currentSchema>

/** Canonical JSON: keys sorted by code unit at every depth, no spaces; the same value gives the same bytes. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`
  }
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) {
    throw new TypeError('Canonical JSON holds no undefined, NaN or infinite value')
  }
  return JSON.stringify(value)
}

export function sha256Hex(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Canonical body of a manifest and its SHA-256. */
export function manifestBody(manifest: Manifest): { body: string; sha256: string } {
  const body = canonicalJson(manifestSchema.parse(manifest))
  return { body, sha256: sha256Hex(body) }
}

/** @throws SyntaxError naming the first member that is no manifest of version 1. */
export function parseManifest(body: string): Manifest {
  return parse(manifestSchema, body, 'manifest')
}

/** @throws SyntaxError when the text is no pointer. */
export function parseCurrent(body: string): Current {
  return parse(currentSchema, body, 'CURRENT.json')
}

function parse<T>(schema: z.ZodType<T>, body: string, what: string): T {
  const parsed = schema.safeParse(JSON.parse(body))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SyntaxError(`This is no ${what} of version 1: ${issue?.path.join('.')} ${issue?.message}`)
  }
  return parsed.data
}
