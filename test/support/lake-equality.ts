import { setTimeout as delay } from 'node:timers/promises'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import pg from 'pg'
import { contracts, type ExportColumn, quoteIdentifier, type TableContract } from '../../src/lake/contract.ts'

/**
 * Compares what analysts see in Athena with what Postgres holds, column by column: rows, nulls, distinct values, sums, minima
 * and maxima, each computed on both sides by its own engine from the contract's own expression.
 */

export class AthenaQueries {
  private readonly client: AthenaClient
  private readonly workgroup: string

  constructor(env: Readonly<Record<string, string>>) {
    this.client = new AthenaClient({
      endpoint: env.AWS_ENDPOINT_URL as string,
      region: env.AWS_REGION as string,
      credentials: {
        accessKeyId: env.AWS_ACCESS_KEY_ID as string,
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY as string,
      },
    })
    this.workgroup = env.ATHENA_WORKGROUP as string
  }

  /** All rows of a small result, without the header; NULL is null. @param Database of names without one */
  async rows(sql: string, Database?: string): Promise<(string | null)[][]> {
    const { QueryExecutionId } = await this.client.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: this.workgroup,
        ...(Database === undefined ? {} : { QueryExecutionContext: { Database } }),
      }),
    )
    for (;;) {
      const { QueryExecution } = await this.client.send(new GetQueryExecutionCommand({ QueryExecutionId }))
      const state = QueryExecution?.Status?.State
      if (state === 'SUCCEEDED') break
      if (state !== 'QUEUED' && state !== 'RUNNING') {
        throw new Error(`${state}: ${QueryExecution?.Status?.StateChangeReason}\n${sql}`)
      }
      await delay(50)
    }
    const { ResultSet } = await this.client.send(new GetQueryResultsCommand({ QueryExecutionId }))
    return (ResultSet?.Rows ?? []).slice(1).map((row) => (row.Data ?? []).map((cell) => cell.VarCharValue ?? null))
  }

  close(): void {
    this.client.destroy()
  }
}

interface Measure {
  readonly name: string
  readonly postgres: string
  readonly athena: string
}

/** What is compared of one column, as text on both sides. */
function measures(column: ExportColumn): Measure[] {
  const name = `"${column.name}"`
  const base = (postgres: string): Measure[] => [
    { name: 'not null', postgres: `count(${postgres})`, athena: `count(${name})` },
    { name: 'distinct', postgres: `count(DISTINCT ${postgres})`, athena: `count(DISTINCT ${name})` },
  ]
  const bounds = (postgres: (aggregate: string) => string, athena: (aggregate: string) => string): Measure[] =>
    ['min', 'max'].map((f) => ({ name: f, postgres: postgres(f), athena: athena(f) }))
  const { sql } = column
  // A pseudonym is another value by design: only how many there are can be equal.
  if (column.action === 'pseudonymise') return base(sql)
  switch (column.pgType) {
    case 'boolean':
      return [...base(sql), { name: 'true', postgres: `count(*) FILTER (WHERE ${sql})`, athena: `count_if(${name})` }]
    case 'smallint':
    case 'integer':
    case 'bigint':
      return [
        ...base(sql),
        ...bounds(
          (f) => `${f}(${sql})`,
          (f) => `${f}(${name})`,
        ),
        { name: 'sum', postgres: `sum((${sql})::bigint)`, athena: `sum(CAST(${name} AS bigint))` },
      ]
    case 'date':
      return [
        ...base(sql),
        ...bounds(
          (f) => `${f}(${sql})::text`,
          (f) => `${f}(${name})`,
        ),
      ]
    case 'timestamptz(3)':
      return [
        ...base(sql),
        ...bounds(
          (f) => `to_char(${f}(${sql}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')`,
          (f) => `${f}(${name})`,
        ),
      ]
    default: {
      const text = `(${sql})::text COLLATE "C"`
      return [
        ...base(text),
        ...bounds(
          (f) => `${f}(${text})`,
          (f) => `${f}(${name})`,
        ),
      ]
    }
  }
}

export interface Difference {
  readonly table: string
  readonly what: string
  readonly postgres: string | null
  readonly athena: string | null
}

async function compareTable(
  postgres: pg.Client,
  athena: AthenaQueries,
  contract: TableContract,
): Promise<Difference[]> {
  const compared = [
    { what: 'rows', postgres: 'count(*)', athena: 'count(*)' },
    ...contract.columns.flatMap((c) =>
      measures(c).map(({ name, ...sides }) => ({ what: `${c.name}: ${name}`, ...sides })),
    ),
  ]
  const select = compared.map((m, i) => `(${m.postgres})::text AS m${i}`).join(', ')
  const { rows } = await postgres.query<Record<string, string | null>>(
    `SELECT ${select} FROM ${quoteIdentifier(contract.table)}`,
  )
  const [seen = []] = await athena.rows(
    `SELECT ${compared.map((m) => m.athena).join(', ')} FROM rocketgames.${contract.lakeTable}_latest`,
  )
  return compared.flatMap(({ what }, i) => {
    const expected = rows[0]?.[`m${i}`] ?? null
    const got = seen[i] ?? null
    return expected === got ? [] : [{ table: contract.lakeTable, what, postgres: expected, athena: got }]
  })
}

/** Joins by person: as many pairs in the lake, by pseudonym, as in Postgres, by id. */
const JOINS: readonly { readonly postgres: string; readonly athena: string }[] = [
  {
    postgres: 'player p JOIN player_game g ON g.player_id = p.id',
    athena: 'players_latest p JOIN player_games_latest g ON g.player_ref = p.player_ref',
  },
  {
    postgres: 'player_identity i JOIN player_game g ON g.player_id = i.player_id',
    athena: 'player_identities_latest i JOIN player_games_latest g ON g.player_ref = i.player_ref',
  },
  {
    postgres: 'studio_owner o JOIN studio_membership m ON m.owner_id = o.id',
    athena: 'studio_owners_latest o JOIN studio_memberships_latest m ON m.owner_ref = o.owner_ref',
  },
  {
    postgres: "player p JOIN audit_event a ON a.entity_type = 'player' AND a.entity_id = p.id::text",
    athena: "players_latest p JOIN audit_events_latest a ON a.entity_type = 'player' AND a.entity_ref = p.player_ref",
  },
]

/** Every difference between the published snapshot and the database as it stands; the database must be at rest. */
export async function lakeDifferences(env: Readonly<Record<string, string>>): Promise<Difference[]> {
  const postgres = new pg.Client({ connectionString: env.DATABASE_URL as string, options: '-c timezone=UTC' })
  const athena = new AthenaQueries(env)
  await postgres.connect()
  try {
    const differences: Difference[] = []
    for (const contract of contracts) differences.push(...(await compareTable(postgres, athena, contract)))
    for (const join of JOINS) {
      const { rows } = await postgres.query<{ n: string }>(`SELECT count(*)::text AS n FROM ${join.postgres}`)
      const from = join.athena.replaceAll(/(\w+_latest)/g, 'rocketgames.$1')
      const [[got = null] = []] = await athena.rows(`SELECT count(*) FROM ${from}`)
      const expected = rows[0]?.n ?? null
      if (expected !== got) differences.push({ table: join.athena, what: 'pairs', postgres: expected, athena: got })
    }
    return differences
  } finally {
    await postgres.end()
    athena.close()
  }
}
