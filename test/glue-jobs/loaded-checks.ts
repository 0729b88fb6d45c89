import { setTimeout as delay } from 'node:timers/promises'
import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import pg from 'pg'

/**
 * Compares a warehouse in Postgres with the curated tables as Athena shows them: every row of every table, each made one text by its
 * own engine.
 */

const WAREHOUSE = 'rocketgames_warehouse'
const SCHEMA = 'accounts'
const COLUMNS = `SELECT table_name AS "table", column_name AS "column", data_type AS type
  FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'warehouse_loads' ORDER BY table_name, ordinal_position`

interface Column {
  readonly table: string
  readonly column: string
  readonly type: string
}

export interface LoadedTable {
  readonly name: string
  readonly rows: number
  /** Rows on one side only; a few of each. */
  readonly differences: readonly string[]
}

const asText = ({ column, type }: Column) =>
  type === 'timestamp with time zone'
    ? `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')`
    : `${column}::text`
const line = (texts: readonly string[]) => texts.map((text) => `coalesce(${text}, '~')`).join(` || '|' || `)

/** The rows of a query of one column, out of the file of its results. */
async function athenaLines(env: Readonly<Record<string, string>>, sql: string): Promise<string[]> {
  const place = {
    endpoint: env.AWS_ENDPOINT_URL as string,
    region: env.AWS_REGION as string,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID as string,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY as string,
    },
  }
  const athena = new AthenaClient(place)
  const s3 = new S3Client({ ...place, forcePathStyle: true })
  try {
    const WorkGroup = env.ATHENA_WORKGROUP as string
    const { QueryExecutionId } = await athena.send(new StartQueryExecutionCommand({ QueryString: sql, WorkGroup }))
    for (;;) {
      const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
      const state = QueryExecution?.Status?.State
      if (state === 'SUCCEEDED') {
        const at = new URL(QueryExecution?.ResultConfiguration?.OutputLocation as string)
        const stored = await s3.send(new GetObjectCommand({ Bucket: at.host, Key: at.pathname.slice(1) }))
        const text = (await stored.Body?.transformToString()) as string
        const rows = text.trimEnd().split('\n').slice(1)
        return rows.map((row) => row.slice(1, -1).replaceAll('""', '"'))
      }
      if (state !== 'QUEUED' && state !== 'RUNNING') throw new Error(`${state}: ${sql}`)
      await delay(50)
    }
  } finally {
    athena.destroy()
    s3.destroy()
  }
}

/** How often each line is there in `lines` more than in `others`, by line. */
function beyond(lines: readonly string[], others: readonly string[]): string[] {
  const count = new Map<string, number>()
  for (const each of others) count.set(each, (count.get(each) ?? 0) + 1)
  return lines.filter((each) => {
    const left = count.get(each) ?? 0
    count.set(each, left - 1)
    return left <= 0
  })
}

/** The warehouse beside the database of the service, as "rocketgames glue load" fills it. */
export async function loadedTables(env: Readonly<Record<string, string>>): Promise<LoadedTable[]> {
  const url = new URL(env.DATABASE_URL as string)
  url.pathname = WAREHOUSE
  const warehouse = new pg.Client({ connectionString: url.href })
  await warehouse.connect()
  try {
    const { rows: columns } = await warehouse.query<Column>(COLUMNS, [SCHEMA])
    const compared: LoadedTable[] = []
    for (const [name, own] of Map.groupBy(columns, ({ table }) => table)) {
      const query = `SELECT ${line(own.map(asText))} AS line FROM ${SCHEMA}.${name}`
      const loaded = (await warehouse.query<{ line: string }>(query)).rows.map((row) => row.line)
      const shown = line(own.map(({ column }) => `CAST(${column} AS varchar)`))
      const curated = await athenaLines(env, `SELECT ${shown} AS line FROM rocketgames_curated.${name}`)
      const differences = [
        ...beyond(loaded, curated)
          .map((each) => `only in the warehouse: ${each}`)
          .slice(0, 3),
        ...beyond(curated, loaded)
          .map((each) => `only in Athena: ${each}`)
          .slice(0, 3),
      ]
      compared.push({ name, rows: loaded.length, differences })
    }
    return compared
  } finally {
    await warehouse.end()
  }
}
