import type { TableContract } from '../contract.ts'
import { LakeProblem } from '../lake-problem.ts'
import { sha256Hex } from '../manifest.ts'
import { checkTail, fileMetadata } from '../parquet/read.ts'
import type { ColumnFacts, FileFacts } from '../parquet/writer.ts'
import type { UploadedPart } from '../storage/multipart-uploads.ts'
import { footerMetadata } from './footer-metadata.ts'
import type { PlannedRange, SparkPlan } from './spark-plan.ts'
import { doneSchema, type ReportedFile, reportedProblem } from './spark-report-schema.ts'

/** S3 takes no smaller part but the last one. */
const LEAST_PART_BYTES = 5 * 1024 * 1024
const MOST_TEXT = 2_000

/** A file of which the job has sent every byte. */
export interface ReportedUpload {
  readonly key: string
  readonly facts: FileFacts
  readonly parts: readonly UploadedPart[]
}

/** A table as the job says it read it, compared with the plan and the contract. */
export interface ReportedTable {
  readonly contract: TableContract
  /** That came out of the database; whether the files hold as many is the business of whoever settles the table. */
  readonly rows: number
  readonly files: readonly ReportedUpload[]
}

function invalid(
  plan: SparkPlan,
  why: string,
  facts: { table?: string; key?: string } = {},
  cause?: unknown,
): LakeProblem {
  return new LakeProblem('report_invalid', `The report of the Spark job of ${plan.snapshot_id}: ${why}`, facts, cause)
}

function json(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/**
 * Compares what the job says with what it was told to do: every range once and nothing else, in the uploads that were opened for it, parts
 * complete and in order, and footers that another reader than the job's writer finds to be what the contract wants.
 *
 * @param body of the report.
 * @param contracts of the plan's tables.
 * @throws LakeProblem `report_invalid`, `footer_invalid` or `count_mismatch`, and what `reportedProblem` finds; nothing may be committed then.
 */
export function checkReport(plan: SparkPlan, body: string, contracts: readonly TableContract[]): ReportedTable[] {
  const told = json(body)
  const problem = reportedProblem(plan.snapshot_id, told)
  if (problem) throw problem
  const parsed = doneSchema.safeParse(told)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(plan, `${issue?.path.join('.') || 'all of it'}: ${issue?.message}`)
  }
  const { snapshot_id: id, tables } = parsed.data
  if (id !== plan.snapshot_id) throw invalid(plan, `it is about ${JSON.stringify(id.slice(0, 100))}`)
  onceEach(
    plan,
    plan.tables.map(({ name }) => name),
    tables.map(({ name }) => name),
    (name) => `the table ${name}`,
  )
  return plan.tables.map((planned) => {
    const contract = contracts.find(({ name }) => name === planned.name)
    const reported = tables.find(({ name }) => name === planned.name)
    if (!contract || !reported) throw new Error(`${planned.name} is in the plan and has no contract`)
    onceEach(
      plan,
      planned.ranges.map(({ number }) => number),
      reported.files.map(({ number }) => number),
      (number) => `file ${number} of ${planned.name}`,
    )
    const byNumber = new Map(reported.files.map((file) => [file.number, file]))
    const files = planned.ranges.map((range) =>
      checkFile(plan, contract, range, byNumber.get(range.number) as ReportedFile),
    )
    return { contract, rows: reported.rows_read, files }
  })
}

function onceEach<T>(plan: SparkPlan, wanted: readonly T[], found: readonly T[], name: (each: T) => string): void {
  const [planned, told] = [new Set(wanted), new Set(found)]
  const missing = wanted.filter((each) => !told.has(each))
  const foreign = found.filter((each) => !planned.has(each))
  const seen = new Set<T>()
  const twice = found.filter((each) => seen.size === seen.add(each).size)
  const why = [
    ...missing.map((each) => `${name(each)} is missing`),
    ...foreign.map((each) => `${name(each)} is not in the plan`),
    ...twice.map((each) => `${name(each)} is told twice`),
  ]
  if (why.length > 0) throw invalid(plan, why.slice(0, 3).join('; ').slice(0, MOST_TEXT))
}

function checkFile(plan: SparkPlan, contract: TableContract, range: PlannedRange, file: ReportedFile): ReportedUpload {
  const { key } = range
  const wrong = (why: string) => invalid(plan, `${key}: ${why}`, { table: contract.table, key })
  if (file.key !== key || file.upload_id !== range.upload_id) throw wrong('it was sent to another upload')
  checkParts(file, wrong)
  const tail = Buffer.from(file.tail, 'base64')
  if (sha256Hex(tail) !== file.tail_sha256) throw wrong('its tail has another SHA-256')
  checkFooter(plan, contract, file, tail)
  checkColumns(contract, file, wrong)
  const boundedName = plan.tables.find(({ name }) => name === contract.name)?.min_key_column
  const columns = Object.entries(file.columns).map(([name, facts]): [string, ColumnFacts] => {
    const bounds = name === boundedName && file.min_key !== null && file.max_key !== null
    return [name, bounds ? { ...facts, min: file.min_key ?? '', max: file.max_key ?? '' } : facts]
  })
  return {
    key,
    parts: file.parts,
    facts: {
      rows: file.rows,
      bytes: file.bytes,
      rowGroups: file.row_groups,
      crc32: file.crc32,
      sha256: file.sha256,
      tail,
      tailSha256: file.tail_sha256,
      columns: Object.fromEntries(columns),
      unrepresentable: reasons(contract, file),
    },
  }
}

/** With every reason, as the encoder of this process counts them. */
function reasons(contract: TableContract, { unrepresentable }: ReportedFile): FileFacts['unrepresentable'] {
  const forgiving = contract.columns.filter(({ onUnrepresentable }) => onUnrepresentable === 'null')
  return Object.fromEntries(
    forgiving.map(({ name }) => [name, { infinity: 0, bc: 0, out_of_range: 0, nan: 0, ...unrepresentable[name] }]),
  )
}

function checkParts({ bytes, parts }: ReportedFile, wrong: (why: string) => LakeProblem): void {
  if (parts.some(({ number }, i) => number !== i + 1)) throw wrong('its parts are not 1, 2, 3 and so on')
  if (parts.slice(0, -1).some((part) => part.bytes < LEAST_PART_BYTES))
    throw wrong('a part before its last is too small for S3')
  const sent = parts.reduce((sum, part) => sum + part.bytes, 0)
  if (sent !== bytes) throw wrong(`it has ${bytes} bytes, its parts ${sent}`)
}

/** Opens the footer with another reader than the one that wrote it. */
function checkFooter(plan: SparkPlan, contract: TableContract, file: ReportedFile, tail: Buffer): void {
  const { columns, table } = contract
  const { key, number } = file
  let footer: ReturnType<typeof checkTail>
  let told: ReadonlyMap<string, string>
  try {
    footer = checkTail(tail, file.bytes, columns)
    told = fileMetadata(tail)
  } catch (error) {
    throw new LakeProblem('footer_invalid', `The footer of ${key} is not valid`, { table, key }, error)
  }
  if (footer.rows !== file.rows || footer.rowGroups !== file.row_groups) {
    throw new LakeProblem('count_mismatch', `The footer of ${key} counts other rows than the Spark job`, { table, key })
  }
  const { pseudonym_key_version: pseudonymKeyVersion, snapshot_id: snapshotId } = plan
  const wanted = footerMetadata({ contract, snapshotId, facts: plan, pseudonymKeyVersion }, number)
  const other = Object.entries(wanted).find(([name, value]) => told.get(name) !== value)
  if (other) throw new LakeProblem('footer_invalid', `The footer of ${key} tells another ${other[0]}`, { table, key })
}

function checkColumns(
  contract: TableContract,
  { columns, rows, unrepresentable }: ReportedFile,
  wrong: (why: string) => LakeProblem,
): void {
  const names = contract.columns.map(({ name }) => name)
  const told = Object.keys(columns)
  if (told.length !== names.length || names.some((name) => !Object.hasOwn(columns, name))) {
    throw wrong('it tells of other columns than the contract')
  }
  const forgiving = contract.columns.filter(({ onUnrepresentable }) => onUnrepresentable === 'null')
  const foreign = Object.keys(unrepresentable).find((name) => !forgiving.some((column) => column.name === name))
  if (foreign !== undefined) throw wrong(`values of ${foreign.slice(0, 100)} must not become NULL`)
  for (const { name, nullable } of contract.columns) {
    const nulls = columns[name]?.nulls ?? 0
    const lost = Object.values(unrepresentable[name] ?? {}).reduce((sum, each) => sum + each, 0)
    if (nulls > rows || lost > nulls)
      throw wrong(`${name} has ${nulls} NULLs in ${rows} rows, ${lost} of them not representable`)
    if (!nullable && nulls > lost)
      throw wrong(`${name} has ${nulls} NULLs, and the contract says that it never has one`)
  }
}
