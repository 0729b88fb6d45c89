import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { EXPORT_TYPES, ExportFile, exportPieces } from '../http/export-stream.ts'
import type { JobFile, JobHandler, JobOutcome, JobWork } from '../jobs/job.ts'
import type { SnapshotReader } from '../list.ts'
import type { ExportLists } from './export-list.ts'
import { type ExportRequest, prepareExport } from './export-request.ts'

const compressed = promisify(gzip)

/** Uncompressed; a part is closed with the batch of rows that fills it. */
const PART_BYTES = 64 * 1024 * 1024

interface PartFacts {
  readonly number: number
  readonly href: string
  readonly name: string
  readonly type: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

interface OpenPart {
  readonly number: number
  readonly name: string
  readonly type: string
  readonly file: JobFile
  readonly content: ExportFile
}

export interface ExportJobOptions {
  readonly lists: ExportLists
  readonly snapshots: SnapshotReader
  /** Default 64 MiB. */
  readonly partBytes?: number
}

/** Exports as jobs: parts from one snapshot, and a manifest as the result, written last. Progress counts rows. */
export class ExportJob implements JobHandler<ExportRequest> {
  readonly kind = 'export'
  readonly #lists: ExportLists
  readonly #snapshots: SnapshotReader
  readonly #partBytes: number

  constructor({ lists, snapshots, partBytes = PART_BYTES }: ExportJobOptions) {
    this.#lists = lists
    this.#snapshots = snapshots
    this.#partBytes = partBytes
  }

  async run(work: JobWork<ExportRequest>): Promise<JobOutcome> {
    const { input, signal } = work
    const { statement, shape } = await prepareExport(this.#lists, input, work.context)
    const parts: PartFacts[] = []
    let open: OpenPart | undefined
    let rows = 0
    for await (const piece of exportPieces(this.#snapshots, statement, shape, signal)) {
      signal.throwIfAborted()
      open ??= await openPart(work, parts.length + 1, new ExportFile(piece.writer))
      await write(open, open.content.add(piece), input)
      rows += piece.rows
      work.progress(rows)
      if (open.content.bytes >= this.#partBytes) {
        parts.push(await closePart(work, open))
        open = undefined
      }
    }
    if (open !== undefined) parts.push(await closePart(work, open))
    const { resource, format } = input
    const manifest = await work.result({ name: `${resource}-manifest.json`, type: 'application/json' })
    await manifest.write(JSON.stringify({ resource, format, rows, parts }))
    await manifest.end()
    work.progress(rows, rows)
    return { summary: { rows, parts: parts.length, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) } }
  }
}

async function openPart(work: JobWork<ExportRequest>, number: number, content: ExportFile): Promise<OpenPart> {
  const { resource, format, compress } = work.input
  const plain = `${resource}-${String(number).padStart(5, '0')}.${format}`
  const name = compress === 'gzip' ? `${plain}.gz` : plain
  const type = compress === 'gzip' ? 'application/gzip' : EXPORT_TYPES[format]
  return { number, name, type, content, file: await work.part(number, { name, type }) }
}

/** Gzip members one after the other are one gzip file (RFC 1952, section 2.2). */
async function write({ file }: OpenPart, bytes: Uint8Array, { compress }: ExportRequest): Promise<void> {
  await file.write(compress === 'gzip' ? await compressed(bytes) : bytes)
}

async function closePart(work: JobWork<ExportRequest>, open: OpenPart): Promise<PartFacts> {
  const { number, name, type, file, content } = open
  const { rows } = content
  await write(open, content.end(), work.input)
  const { bytes, sha256 } = await file.end()
  return { number, href: `/v1/jobs/${work.id}/result/parts/${number}`, name, type, rows, bytes, sha256 }
}
