import { z } from 'zod'
import { LakeProblem, type LakeProblemCode } from '../lake-problem.ts'
import { PART_LIMIT } from '../storage/multipart-sink.ts'

const MOST_TEXT = 2_000

const count = z.int().nonnegative()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bound = z.string().max(MOST_TEXT).nullable()

const partSchema = z.strictObject({
  number: z.int().positive(),
  etag: z.string().min(1).max(200),
  bytes: z.int().positive(),
  /** Of 4 bytes. */
  crc32: z.string().regex(/^[A-Za-z0-9+/]{5}[AQgw]==$/),
})

const fileSchema = z.strictObject({
  number: count,
  key: z.string(),
  upload_id: z.string(),
  rows: count,
  bytes: z.int().positive(),
  row_groups: count,
  crc32: z.string().regex(/^[0-9a-f]{8}$/),
  sha256,
  tail: z.base64(),
  tail_sha256: sha256,
  min_key: bound,
  max_key: bound,
  columns: z.record(z.string(), z.strictObject({ nulls: count, sum: z.string().regex(/^[0-9a-f]{16}$/) })),
  unrepresentable: z.record(z.string(), z.partialRecord(z.enum(['infinity', 'bc', 'out_of_range', 'nan']), count)),
  parts: z.array(partSchema).min(1).max(PART_LIMIT),
})

/** What a job tells when it has done everything. */
export const doneSchema = z.strictObject({
  report_version: z.literal(1),
  snapshot_id: z.string(),
  tables: z.array(z.strictObject({ name: z.string(), rows_read: count, files: z.array(fileSchema) })),
})

const text = z.string().max(MOST_TEXT)
/** What the job can name; each is a code that the readers of this process use for the same. */
const PASSED_ON = [
  ...(['unrepresentable_value', 'null_in_not_null', 'part_limit', 'connection_lost', 'copy_failed'] as const),
  ...(['load_balanced_endpoint', 'storage_failed', 'storage_denied', 'count_mismatch'] as const),
] satisfies readonly LakeProblemCode[]

const failedSchema = z.object({
  report_version: z.literal(1),
  snapshot_id: z.string(),
  problem: z.object({
    code: z.enum(PASSED_ON),
    message: text,
    table: text.nullish(),
    column: text.nullish(),
    primary_key: text.nullish(),
    reason: text.nullish(),
    key: text.nullish(),
    aws_code: text.nullish(),
    sql_state: text.nullish(),
    /** Number of the file whose rows were read. */
    range: count.nullish(),
  }),
})

export type ReportedFile = z.infer<typeof fileSchema>

/**
 * The problem that a job left in place of its report; undefined when it is none.
 *
 * Its message is the job's own: it names tables, columns and, where a row stops the snapshot, its key.
 *
 * @param body of the report, parsed.
 */
export function reportedProblem(snapshotId: string, body: unknown): LakeProblem | undefined {
  const parsed = failedSchema.safeParse(body).data
  if (parsed?.snapshot_id !== snapshotId) return undefined
  const { code, message, primary_key: primaryKey, aws_code: awsCode, sql_state: sqlState, ...others } = parsed.problem
  const named = { ...others, primaryKey, awsCode, sqlState }
  const facts = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined && value !== null))
  return new LakeProblem(code, message, facts)
}
