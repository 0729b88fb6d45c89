import { describe } from '../../errors.ts'
import { LakeProblem } from '../lake-problem.ts'
import { partKey, s3Uri, unloadPlanKey, unloadReportKey } from '../object-keys.ts'
import type { SparkJob } from '../spark-job.ts'
import { base64OfHex } from '../storage/multipart-sink.ts'
import { type CopyContext, createdBy } from './copy-context.ts'
import type { CopyingTable } from './copy-table.ts'
import type { Engine, EngineOpening } from './engine.ts'
import { watchHolder } from './holder-watch.ts'
import { inParallel } from './in-parallel.ts'
import { jdbcAddress } from './jdbc-address.ts'
import { pseudonymKeyOf } from './lake.ts'
import { exportSnapshot } from './source.ts'
import { type PlannedRange, type SparkPlan, sparkPlan } from './spark-plan.ts'
import { SparkProgress } from './spark-progress.ts'
import { sparkRanges, type TableRanges } from './spark-ranges.ts'
import { checkReport, type ReportedTable, type ReportedUpload } from './spark-report.ts'
import { reportedProblem } from './spark-report-schema.ts'
import type { WrittenFile } from './table-uploads.ts'

/** Uploads that are begun, or control rows that are written, at once. */
const AT_ONCE = 8
/** Of thousands of files with large footers; what is larger is no report, and soon no string either. */
const MOST_REPORT_BYTES = 256 * 1024 * 1024

/**
 * Lets a Spark job read the tables: one file a range, into uploads that are opened here. The job sees what the holder's transaction
 * sees, and nothing that it does can be seen before the commit, which is made here.
 *
 * @throws LakeProblem `spark_not_started`.
 */
export async function openSparkEngine(opening: EngineOpening): Promise<Engine> {
  const { sparkJob } = opening.lake
  if (!sparkJob) throw new LakeProblem('spark_not_started', 'This program was given no place to run a Spark job')
  // Refused now where the address cannot be used, before anything is locked.
  jdbcAddress(opening.holder.client, opening.lake.sourceUrl, opening.applicationName)
  return new SparkEngine(opening, sparkJob)
}

class SparkEngine implements Engine {
  readonly #opening: EngineOpening
  readonly #job: SparkJob

  constructor(opening: EngineOpening, job: SparkJob) {
    this.#opening = opening
    this.#job = job
  }

  /** The job's connections are known by their name alone: `LockWatch` looks for it. */
  get pids(): readonly number[] {
    return []
  }

  async read(context: CopyContext, copying: CopyingTable[]): Promise<void> {
    const { contracts, holder } = this.#opening
    const stopWatching = watchHolder(holder.client, context.fail)
    try {
      const plan = await this.#plan(context)
      const progress = new SparkProgress(context, plan)
      await this.#run(context, plan, progress)
      const tables = checkReport(plan, await this.#report(plan), contracts)
      context.signal.throwIfAborted()
      await progress.done(tables)
      const written = new Written(context)
      for (const table of tables) copying.push({ ...table, files: written.of(table) })
      written.begin()
    } finally {
      stopWatching()
    }
  }

  async settled(): Promise<void> {
    const { lake, snapshotId } = this.#opening
    await lake.bucket.delete([unloadPlanKey(snapshotId), unloadReportKey(snapshotId)])
  }

  /** Opens every upload, then says in S3 what is to be done. */
  async #plan(context: CopyContext): Promise<SparkPlan> {
    const { applicationName, contracts, holder, lake, live, snapshotId } = this.#opening
    const split = await sparkRanges(holder.client, contracts, { live, settings: lake.settings })
    const tables = []
    for (const table of split) {
      await context.rows.table(table.contract.name, { state: 'copying' })
      tables.push({ contract: table.contract, ranges: await this.#openUploads(context, table) })
    }
    const { url, user } = jdbcAddress(holder.client, lake.sourceUrl, applicationName)
    const plan = sparkPlan({
      ...{ snapshotId, tables, bucket: lake.bucket.name, settings: lake.settings, facts: context.facts },
      createdBy: createdBy(context),
      jdbc: { url, user },
      exported: await exportSnapshot(holder.client),
    })
    const key = unloadPlanKey(snapshotId)
    const body = JSON.stringify(plan)
    // A repeated call may find what the one before it wrote.
    if (!(await lake.bucket.putText(key, body, '*')) && (await lake.bucket.getText(key))?.text !== body) {
      throw new LakeProblem('object_mismatch', `Another plan than that of this run lies under ${key}`, { key })
    }
    return plan
  }

  /** The id of each is stored before the job can know it: whoever takes over finds and ends it. */
  async #openUploads({ lake, rows, signal }: CopyContext, { contract, ranges, rows: expected }: TableRanges) {
    const planned: PlannedRange[] = []
    const numbers = ranges.map((range, number) => ({ range, number }))
    await inParallel(numbers, AT_ONCE, async ({ number, range }) => {
      signal.throwIfAborted()
      const key = partKey(contract.name, rows.snapshotId, 0, number)
      const upload_id = await lake.bucket.multipart.create(key, rows.snapshotId)
      await rows.openUpload(key, contract.name, upload_id)
      planned[number] = { range, number, key, upload_id, estimated_rows: Math.round(expected / ranges.length) }
    })
    return planned
  }

  async #run({ lake, signal }: CopyContext, plan: SparkPlan, progress: SparkProgress): Promise<void> {
    const { applicationName, holder, snapshotId } = this.#opening
    const { password } = jdbcAddress(holder.client, lake.sourceUrl, applicationName)
    const order = {
      ...{ snapshotId, bucket: plan.bucket, sourcePassword: password },
      planUri: s3Uri(plan.bucket, unloadPlanKey(snapshotId)),
      pseudonymKey: pseudonymKeyOf(lake.settings),
      maxAgeMs: lake.settings.maxSnapshotAgeMs,
    }
    try {
      await this.#job.run(order, { signal, onLine: (line) => progress.line(line) })
    } catch (error) {
      signal.throwIfAborted()
      throw (await this.#told(plan)) ?? error
    }
  }

  /** What the job could say itself of why it failed; where not even that can be read, its end has to do. */
  async #told(plan: SparkPlan): Promise<LakeProblem | undefined> {
    const { lake, snapshotId } = this.#opening
    try {
      return reportedProblem(plan.snapshot_id, JSON.parse(await this.#report(plan)))
    } catch (error) {
      lake.logger.info({ snapshotId, reason: describe(error) }, 'the Spark job left no word')
      return undefined
    }
  }

  async #report(plan: SparkPlan): Promise<string> {
    const { bucket } = this.#opening.lake
    const key = plan.report
    const { bytes = 0 } = (await bucket.head(key)) ?? {}
    if (bytes > MOST_REPORT_BYTES) {
      throw new LakeProblem('report_invalid', `The report of the Spark job has ${bytes} bytes`, { key })
    }
    const stored = await bucket.getText(key)
    if (stored) return stored.text
    throw new LakeProblem('report_invalid', `The Spark job ended without its report ${key}`, { key })
  }
}

/** Writes the control rows of the finished files, a few at once; each file is written when its row is. */
class Written {
  readonly #context: CopyContext
  readonly #waiting: { readonly upload: ReportedUpload; readonly told: PromiseWithResolvers<WrittenFile> }[] = []

  constructor(context: CopyContext) {
    this.#context = context
  }

  of({ files }: ReportedTable): Promise<WrittenFile>[] {
    return files.map((upload) => {
      const told = Promise.withResolvers<WrittenFile>()
      told.promise.catch((error: unknown) => this.#context.fail(error))
      this.#waiting.push({ upload, told })
      return told.promise
    })
  }

  begin(): void {
    void inParallel(this.#waiting, AT_ONCE, async ({ told, upload }) => {
      try {
        this.#context.signal.throwIfAborted()
        await this.#store(upload)
        told.resolve({ key: upload.key, facts: upload.facts })
      } catch (error) {
        told.reject(error)
      }
    })
  }

  async #store({ facts, key, parts }: ReportedUpload): Promise<void> {
    const { lake, rows } = this.#context
    lake.measurements.partsSent += parts.length
    await rows.finishUpload(key, {
      parts,
      bytes: facts.bytes,
      rows: facts.rows,
      crc32: base64OfHex(facts.crc32),
      sha256: facts.sha256,
      tailBytes: facts.tail.length,
      tailSha256: facts.tailSha256,
    })
  }
}
