import { z } from 'zod'
import { pageSchema } from '../http/about-schema.ts'
import * as examples from './lake-examples.ts'
import { manifestSchema } from './manifest.ts'
import { PHASES } from './snapshot/run-measurements.ts'
import { SNAPSHOT_STATES } from './snapshot/states.ts'

const instant = z.iso.datetime()
const count = z.int().nonnegative()

const tableColumnSchema = z.object({
  name: z.string(),
  type: z.string().meta({ description: 'As Athena says it' }),
  nullable: z.boolean(),
  class: z.enum(['public', 'internal', 'personal', 'secret']),
  action: z.enum(['include', 'pseudonymise', 'generalise']),
  source: z.string().meta({ description: 'The column of the record that it comes from' }),
  reason: z.string().nullable().meta({ description: 'Why a personal column is in the lake all the same' }),
  description: z.string().nullable().meta({ description: 'What a value means' }),
  unit: z.string().nullable().meta({ description: 'Of a number' }),
  values: z.array(z.string()).nullable().meta({ description: 'All labels of an enum; null for other columns' }),
  deprecated: z
    .boolean()
    .meta({ description: 'Only NULL, or a copy of the column that replaces it; leaves with the next version' }),
})

export const lakeTableSchema = z
  .object({
    name: z.string(),
    glueTable: z.string(),
    description: z.string(),
    version: z.int(),
    fingerprint: z.string(),
    views: z.array(z.string()),
    columns: z.array(tableColumnSchema),
    withheld: z
      .array(z.object({ source: z.string(), class: z.string() }))
      .meta({ description: 'Columns of the record that never leave the database' }),
    lastSnapshot: z
      .object({ id: z.string(), takenAt: instant.nullable(), rows: count.nullable(), bytes: count.nullable() })
      .nullable(),
  })
  .meta({ id: 'LakeTable', example: examples.lakeTable })

export const lakeTablesSchema = z.object({ data: z.array(lakeTableSchema) }).meta({ id: 'LakeTables' })

const snapshotFields = {
  id: z.string(),
  sequence: z.int(),
  state: z.enum(SNAPSHOT_STATES),
  requestedBy: z.string(),
  requestedAt: instant,
  startedAt: instant.nullable(),
  preparedAt: instant.nullable(),
  committedAt: instant.nullable(),
  publishedAt: instant.nullable(),
  retiringAt: instant.nullable(),
  endedAt: instant.nullable(),
  abandoned: z
    .boolean()
    .meta({ description: 'Its process is gone: recovery, at the latest within the hour, finishes or removes it' }),
  takenAt: z.string().nullable().meta({ description: 'The instant of the database that every table shows' }),
  totalRows: count.nullable(),
  totalBytes: count.nullable(),
  manifestSha256: z.string().nullable(),
  phase: z.enum(PHASES).nullable().meta({ description: 'What it is doing now; null when it is over' }),
  phases: z
    .array(z.object({ name: z.enum(PHASES), seconds: z.number().nonnegative() }))
    .meta({ description: 'What it has done, in this order; of the phase under way the time until now' }),
  rowsPerSecond: count.nullable().meta({ description: 'While rows were read and uploaded' }),
  measurements: z
    .object({
      partsSent: count,
      partsResent: count,
      slowDowns: count.meta({ description: 'Times that S3 asked to slow down' }),
      callsRepeated: count.meta({ description: 'Calls to S3 that were repeated, those of parts included' }),
      unrepresentable: count.meta({ description: 'Values that Parquet cannot hold and that became NULL' }),
      driftFindings: count.meta({ description: 'Differences between catalogue and contract that stand in the way' }),
      readers: count,
      cpuSeconds: z.number().nonnegative(),
      peakRssBytes: count,
    })
    .nullable()
    .meta({ description: 'What the run has cost' }),
  problem: z
    .looseObject({
      code: z.string(),
      message: z.string(),
      phase: z.string().meta({ description: 'The state in which it happened' }),
      next: z.string().meta({ description: 'What to do about it' }),
    })
    .nullable()
    .meta({ description: 'Why it failed, or why it has not got further yet' }),
  tables: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      estimatedRows: count.nullable().meta({ description: 'As the planner believes' }),
      rowsCopied: count.nullable(),
      rowsEncoded: count.nullable(),
      bytes: count.nullable(),
      files: count.nullable(),
    }),
  ),
}

export const snapshotSchema = z.object(snapshotFields).meta({ id: 'Snapshot', example: examples.publishedSnapshot })
export const snapshotPageSchema = pageSchema(snapshotSchema, 'SnapshotPage')
export const snapshotWithManifestSchema = z
  .object({ ...snapshotFields, manifest: manifestSchema.nullable() })
  .meta({ id: 'SnapshotWithManifest', example: examples.snapshotWithManifest })

export const verifyResultSchema = z
  .object({
    healthy: z.boolean(),
    files: count,
    rows: count,
    findings: z.array(
      z.looseObject({ code: z.string(), message: z.string() }).meta({ description: 'A stable code and a sentence' }),
    ),
  })
  .meta({ id: 'VerifyResult', example: { healthy: true, files: 1, rows: 30, findings: [] } })

export const newHoldSchema = z
  .strictObject({
    holder: z.string().min(1).max(200),
    reason: z.string().min(1).max(500),
    expiresAt: z.iso.datetime({ offset: true }).meta({ description: 'At most 7 days from now' }),
  })
  .meta({ id: 'NewHold', example: examples.newHold })

export const holdSchema = z
  .object({
    id: z.uuid(),
    snapshotId: z.string().meta({ example: examples.publishedSnapshot.id }),
    holder: z.string().meta({ example: examples.newHold.holder }),
    reason: z.string().meta({ example: examples.newHold.reason }),
    createdAt: instant,
    expiresAt: instant,
  })
  .meta({ id: 'Hold' })

export const holdPageSchema = pageSchema(holdSchema, 'HoldPage')

/** Either `sql`, or `name` with `params`. */
export const newQuerySchema = z
  .strictObject({
    sql: z.string().min(1).optional(),
    name: z.string().min(1).max(64).optional(),
    params: z.record(z.string().max(64), z.union([z.string(), z.number()])).optional(),
  })
  .superRefine(({ sql, name, params }, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message, params: { code: 'not-allowed' } })
    if (sql === undefined && name === undefined) refuse('sql', 'give either sql, or name with params')
    if (sql !== undefined && name !== undefined) refuse('name', 'give either sql or name, not both')
    if (sql !== undefined && params !== undefined) refuse('params', 'belong to a saved query; write values into sql')
  })
  .meta({ id: 'NewQuery', example: examples.newQuery })

export const queryRunSchema = z
  .object({
    id: z.uuid(),
    name: z.string().nullable().meta({ description: 'Of the saved query; null for free SQL' }),
    state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
    sql: z.string(),
    submittedAt: instant.nullable(),
    completedAt: instant.nullable(),
    bytesScanned: count,
    queuedMs: count,
    engineMs: count,
    problem: z
      .object({
        code: z.enum(['budget-exceeded', 'query-failed']),
        detail: z.string(),
        engineCode: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'QueryRun', example: examples.queryRun })

export const savedQuerySchema = z
  .object({
    name: z.string(),
    database: z.string().meta({ description: 'Whose views it reads: those of the snapshots, or the curated ones' }),
    title: z.string(),
    description: z.string(),
    sql: z.string(),
    parameters: z.array(
      z.object({
        name: z.string(),
        type: z.enum(['integer', 'date', 'string']),
        description: z.string(),
        default: z.union([z.string(), z.number()]).nullable(),
        oneOf: z.array(z.string()).nullable(),
        min: z.int(),
        max: z.int(),
      }),
    ),
  })
  .meta({ id: 'SavedQuery', example: examples.savedQuery })

const page = z
  .object({
    limit: z.int(),
    hasMore: z.boolean(),
    next: z.string().nullable(),
    prev: z.string().nullable(),
  })
  .meta({ example: examples.queryResult.page })

export const queryListSchema = z
  .object({ saved: z.array(savedQuerySchema), data: z.array(queryRunSchema), page })
  .meta({ id: 'QueryList' })

export const queryResultSchema = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    data: z
      .array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])))
      .meta({ description: 'A row is a list of values in the order of the columns; digits beyond 2^53 are text' }),
    page,
  })
  .meta({ id: 'QueryResult', example: examples.queryResult })
