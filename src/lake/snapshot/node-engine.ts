import type { TableContract } from '../contract.ts'
import { PartSlots } from '../storage/multipart-sink.ts'
import type { CopyContext, ReaderContext } from './copy-context.ts'
import { type CopyingTable, readTable } from './copy-table.ts'
import type { Engine, EngineOpening } from './engine.ts'
import type { Lake } from './lake.ts'
import { ParallelReaders, readerCount } from './parallel-readers.ts'
import type { Source } from './source.ts'
import { Spool } from './spool.ts'
import { tableSizes } from './table-ranges.ts'

/**
 * Reads with COPY and encodes in this process: one table after another, a large one by several readers.
 *
 * @throws LakeProblem `load_balanced_endpoint`, `pooler_in_transaction_mode`, `connection_lost` or `spool_unusable`.
 */
export async function openNodeEngine(opening: EngineOpening): Promise<Engine> {
  const { applicationName, contracts, holder, instance, lake, onClose, signal, snapshotId } = opening
  const spool = await openSpool(lake, snapshotId)
  if (spool) onClose(() => spool.remove())
  const large = await largeTables(lake, holder, contracts)
  let readers: ParallelReaders | undefined
  if (large.size > 0) {
    const where = { applicationName, snapshotId, instance }
    readers = await ParallelReaders.open(lake, readerCount(lake.settings), holder.client, where, signal)
    onClose(readers.end.bind(readers))
  }
  return new NodeEngine(opening, { spool, large, readers })
}

interface Opened {
  readonly spool: Spool | undefined
  /** Tables that the readers share. */
  readonly large: ReadonlySet<string>
  readonly readers: ParallelReaders | undefined
}

class NodeEngine implements Engine {
  readonly #opening: EngineOpening
  readonly #opened: Opened

  constructor(opening: EngineOpening, opened: Opened) {
    this.#opening = opening
    this.#opened = opened
  }

  get pids(): readonly number[] {
    return this.#opened.readers?.pids ?? []
  }

  async read(context: CopyContext, copying: CopyingTable[]): Promise<void> {
    const { contracts, holder, lake, sinks } = this.#opening
    const { large, readers, spool } = this.#opened
    const slots = new PartSlots(lake.settings.partsInFlight, lake.settings.partBytes)
    const reading: ReaderContext = { ...context, slots, sinks, spool }
    context.signal.addEventListener('abort', () => {
      for (const sink of sinks) sink.cancel()
    })
    for (const contract of contracts) {
      context.signal.throwIfAborted()
      const shared = large.has(contract.table) ? readers : undefined
      if (shared) lake.measurements.readers = Math.max(lake.measurements.readers, shared.count)
      copying.push(await readTable(reading, contract, holder, shared))
    }
  }

  async settled(): Promise<void> {}
}

async function openSpool({ bucket, settings }: Lake, snapshotId: string): Promise<Spool | undefined> {
  const { fileTargetBytes, spoolDir } = settings
  if (spoolDir === undefined) return undefined
  return Spool.open({ dir: spoolDir, bucket: bucket.name, snapshotId, leastFreeBytes: fileTargetBytes })
}

/** Tables that are worth several readers; none where there is only one. */
async function largeTables(
  { settings }: Lake,
  { client }: Source,
  contracts: readonly TableContract[],
): Promise<ReadonlySet<string>> {
  if (readerCount(settings) < 2) return new Set()
  const sizes = await tableSizes(client, contracts)
  return new Set(sizes.filter(({ bytes }) => bytes > settings.parallelTableBytes).map(({ table }) => table))
}
