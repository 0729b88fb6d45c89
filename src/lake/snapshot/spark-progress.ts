import { z } from 'zod'
import type { CopyContext } from './copy-context.ts'
import type { SparkPlan } from './spark-plan.ts'
import type { ReportedTable } from './spark-report.ts'
import { TableProgress } from './table-progress.ts'

const count = z.int().nonnegative()
const LONGEST_LINE = 2_000

/** How far the job is with one file, as it says on its standard output; anything else there is passed over. */
const lineSchema = z.object({ kind: z.literal('file'), table: z.string(), number: count, rows: count, bytes: count })

/** How far the tables of a Spark job are. What it is told is shown and never counted. */
export class SparkProgress {
  readonly #tables: ReadonlyMap<string, { readonly progress: TableProgress; readonly files: number }>

  constructor(context: Pick<CopyContext, 'fail' | 'progress' | 'rows'>, plan: SparkPlan) {
    this.#tables = new Map(
      plan.tables.map(({ name, ranges }) => [
        name,
        { progress: new TableProgress(context, name), files: ranges.length },
      ]),
    )
  }

  line(text: string): void {
    if (!text.startsWith('{') || text.length > LONGEST_LINE) return
    let told: unknown
    try {
      told = JSON.parse(text)
    } catch {
      return
    }
    const parsed = lineSchema.safeParse(told).data
    const table = parsed && this.#tables.get(parsed.table)
    if (table && parsed.number < table.files) table.progress.report(parsed.number, parsed.rows, parsed.bytes)
  }

  /** All rows are read: what the report says is shown. */
  async done(tables: readonly ReportedTable[]): Promise<void> {
    for (const { contract, files } of tables) {
      const table = this.#tables.get(contract.name)
      for (const [number, { facts }] of files.entries()) table?.progress.report(number, facts.rows, facts.bytes)
      await table?.progress.done()
    }
  }
}
