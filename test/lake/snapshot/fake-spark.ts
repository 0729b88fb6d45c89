/**
 * A program that does what the Spark job does, without Spark's start: it reads the plan, sees the exported instant in connections of its
 * own, sends parts of files that our encoder makes, and tells about them. `FAKE_SPARK` names what goes wrong; the arguments are the job's.
 */
import { crc32 } from 'node:zlib'
import { GetObjectCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { contracts, keyFields } from '../../../src/lake/contract.ts'
import { ParquetWriter } from '../../../src/lake/parquet/writer.ts'
import { footerMetadata } from '../../../src/lake/snapshot/footer-metadata.ts'
import { copyTable } from '../../../src/lake/snapshot/read.ts'
import { openSource } from '../../../src/lake/snapshot/source.ts'
import type { SparkPlan } from '../../../src/lake/snapshot/spark-plan.ts'
import { crc32Base64 } from '../../../src/lake/storage/multipart-sink.ts'
import type { UploadedPart } from '../../../src/lake/storage/multipart-uploads.ts'
import { EDGE_CONTRACT } from '../parquet/edge-contract.ts'

export const TROUBLES = [
  /** Reads a table, then never ends. */
  'hang',
  /** Ends by SIGKILL after its first part. */
  'crash',
  /** Ends with 1 and a line in its log. */
  'fail',
  /** Leaves a problem in place of its report. */
  'problem',
  /** Says that it is done, and tells nothing. */
  'silent',
  /** Says that Postgres sent a row more than the files hold. */
  'miscount',
  /** Sends other bytes than it tells of. */
  'corrupt',
  /** Does not hear SIGTERM. */
  'deaf',
] as const
export type Trouble = (typeof TROUBLES)[number]

const TABLES = [...contracts, EDGE_CONTRACT]

type PlannedTable = SparkPlan['tables'][number]

class FakeSpark {
  readonly #s3: S3Client
  readonly #plan: SparkPlan
  readonly #trouble: string | undefined

  constructor(s3: S3Client, plan: SparkPlan, trouble: string | undefined) {
    this.#s3 = s3
    this.#plan = plan
    this.#trouble = trouble
  }

  async work(): Promise<void> {
    const tables = []
    for (const table of this.#plan.tables) {
      const files = []
      let read = 0
      for (const range of table.ranges) {
        const file = await this.#file(table, range)
        read += file.rows
        files.push(file)
        const { number, rows, bytes } = file
        console.log(JSON.stringify({ kind: 'file', table: table.name, number, rows, bytes }))
        if (this.#trouble === 'crash') process.kill(process.pid, 'SIGKILL')
      }
      tables.push({ name: table.name, rows_read: this.#trouble === 'miscount' ? read + 1 : read, files })
    }
    if (this.#trouble !== 'silent') await this.put({ tables })
  }

  async put(told: object): Promise<void> {
    const { bucket: Bucket, report: Key, snapshot_id } = this.#plan
    const Body = JSON.stringify({ report_version: 1, snapshot_id, ...told })
    await this.#s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  }

  async #file(table: PlannedTable, range: PlannedTable['ranges'][number]) {
    const plan = this.#plan
    const contract = TABLES.find(({ name }) => name === table.name)
    if (!contract) throw new Error(`${table.name} is no table of the lake`)
    const chunks: Buffer[] = []
    const writer = new ParquetWriter({
      table: table.table,
      columns: contract.columns,
      key: keyFields(contract),
      codec: plan.codec,
      rowGroupRows: plan.row_group_rows,
      rowGroupBytes: plan.row_group_bytes,
      pseudonymKey: Buffer.from(process.env.ROCKETGAMES_PSEUDONYM_KEY ?? '', 'hex'),
      metadata: footerMetadata(
        { contract, snapshotId: plan.snapshot_id, facts: plan, pseudonymKeyVersion: plan.pseudonym_key_version },
        range.number,
      ),
      createdBy: plan.created_by,
      sink: { busy: false, drained: async () => undefined, write: (bytes) => void chunks.push(Buffer.from(bytes)) },
    })
    const rows_read = await this.#read(range.range, contract, writer)
    const facts = await writer.close()
    if (rows_read !== facts.rows) throw new Error('The encoder lost rows')
    const { key, number, upload_id } = range
    const bounds = facts.columns[table.min_key_column ?? '']
    return {
      ...{ number, key, upload_id },
      ...{
        rows: facts.rows,
        bytes: facts.bytes,
        row_groups: facts.rowGroups,
        crc32: facts.crc32,
        sha256: facts.sha256,
      },
      ...{ tail: facts.tail.toString('base64'), tail_sha256: facts.tailSha256 },
      ...{ min_key: bounds?.min ?? null, max_key: bounds?.max ?? null },
      columns: Object.fromEntries(
        Object.entries(facts.columns).map(([name, { nulls, sum }]) => [name, { nulls, sum }]),
      ),
      unrepresentable: facts.unrepresentable,
      parts: await this.#send(key, upload_id, Buffer.concat(chunks)),
    }
  }

  /** In the words of JDBC turned back into those of Node. */
  async #read(range: string, contract: (typeof contracts)[number], writer: ParquetWriter): Promise<number> {
    const { session_init, url: jdbc, user } = this.#plan.jdbc
    const url = new URL(jdbc.slice('jdbc:'.length))
    const name = url.searchParams.get('ApplicationName') ?? ''
    url.search = ''
    url.username = user
    url.password = process.env.ROCKETGAMES_SOURCE_PASSWORD ?? ''
    const source = await openSource(url.href, name)
    await source.client.query(`BEGIN; ${session_init}`)
    const count = await copyTable(source, contract, writer, new AbortController().signal, () => undefined, range)
    if (this.#trouble === 'hang' || this.#trouble === 'deaf') {
      console.log(JSON.stringify({ kind: 'file', table: contract.name, number: 0, rows: count, bytes: 1 }))
      // For as long as any test lasts, its locks held.
      await new Promise((resolve) => setTimeout(resolve, 120_000))
    }
    await source.client.end()
    return count
  }

  async #send(Key: string, UploadId: string, bytes: Buffer): Promise<UploadedPart[]> {
    const { bucket: Bucket, part_bytes: size } = this.#plan
    const parts: UploadedPart[] = []
    for (let from = 0; from < bytes.length; from += size) {
      const PartNumber = parts.length + 1
      const part = Buffer.from(bytes.subarray(from, from + size))
      const told = crc32Base64(crc32(part))
      if (this.#trouble === 'corrupt') part[10] = (part[10] ?? 0) ^ 1
      const ChecksumCRC32 = crc32Base64(crc32(part))
      const sent = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: part, ChecksumCRC32 })
      const { ETag: etag = '' } = await this.#s3.send(sent)
      parts.push({ number: PartNumber, etag, bytes: part.length, crc32: told })
    }
    return parts
  }
}

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}

async function main(trouble: string | undefined): Promise<void> {
  const plan = new URL(argument('--plan') ?? '')
  const endpoint = argument('--endpoint-url') ?? process.env.AWS_ENDPOINT_URL ?? ''
  const s3 = new S3Client({ endpoint, region: argument('--region') ?? '', forcePathStyle: true })
  const stored = await s3.send(new GetObjectCommand({ Bucket: plan.hostname, Key: plan.pathname.slice(1) }))
  const spark = new FakeSpark(s3, JSON.parse((await stored.Body?.transformToString()) ?? ''), trouble)
  if (trouble === 'fail') {
    console.error('{"event":"job-started"}\nTraceback (most recent call last):\n  secret@example.com')
    throw new Error('for a test')
  }
  if (trouble !== 'problem') return spark.work()
  await spark.put({
    problem: {
      code: 'null_in_not_null',
      message: 'player.username of the row id=7 is NULL, and the contract says that it never is',
      ...{ table: 'player', column: 'username', primary_key: 'id=7' },
    },
  })
  throw new Error('for a test')
}

if (import.meta.main) {
  const trouble = process.env.FAKE_SPARK
  if (process.env.ROCKETGAMES_STDIN_GUARD === '1') process.stdin.on('end', () => process.exit(1)).resume()
  if (trouble === 'deaf') process.on('SIGTERM', () => undefined)
  main(trouble).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(JSON.stringify({ event: 'job-failed', code: 'spark', message: (error as Error).message }))
      process.exit(1)
    },
  )
}
