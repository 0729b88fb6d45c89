/** The recorded queries against the translator and the engine, in this process, over the recorded tables. */
import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hiveToTrino } from '../../../../src/local/aws/athena/catalogue/hive-trino.ts'
import type { TableSource } from '../../../../src/local/aws/athena/dialect/scope.ts'
import { translate } from '../../../../src/local/aws/athena/dialect/translate.ts'
import { VARCHAR } from '../../../../src/local/aws/athena/dialect/trino-type.ts'
import { runQuery } from '../../../../src/local/aws/athena/engine/run-query.ts'
import { QueryFailure } from '../../../../src/local/aws/athena/failure.ts'
import { failureText } from '../../../../src/local/aws/athena/failure-text.ts'
import { parseStatement } from '../../../../src/local/aws/athena/statements/parse-statement.ts'
import type { Answer, Case } from './answers-judge.ts'

export const ANSWERS = new URL('../../../../../shared/data/trino-answers/', import.meta.url).pathname
export const haveAnswers = existsSync(join(ANSWERS, 'open.jsonl'))

export const readCases = (): Case[] =>
  readFileSync(join(ANSWERS, 'open.jsonl'), 'utf8')
    .split('\n')
    .filter((l) => l.trim() !== '')
    .map((l) => JSON.parse(l) as Case)

interface Fixture {
  readonly name: string
  readonly file: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

export class AnswersEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rocketgames-answers-'))
  readonly #fixtures = (JSON.parse(readFileSync(join(ANSWERS, 'fixtures.json'), 'utf8')) as { tables: Fixture[] })
    .tables
  #count = 0

  constructor() {
    for (const f of this.#fixtures) {
      mkdirSync(join(this.#folder, f.name))
      copyFileSync(join(ANSWERS, f.file), join(this.#folder, f.name, '0.parquet'))
    }
  }

  async answer(sql: string): Promise<Answer> {
    const folder = join(this.#folder, `q${this.#count++}`)
    mkdirSync(folder)
    const used = new Set<string>()
    const tables: TableSource = {
      database: 'answers',
      resolve: (name) => {
        const table = name.at(-1)!
        if (name.length > 1 && name.at(-2) !== 'answers')
          throw new QueryFailure('SCHEMA_NOT_FOUND', `Schema '${name.at(-2)}' does not exist`)
        const f = this.#fixtures.find((x) => x.name === table)
        if (f === undefined) throw new QueryFailure('TABLE_NOT_FOUND', `Table '${table}' does not exist`)
        used.add(table)
        return {
          key: table,
          table: {
            sql: table,
            columns: [
              ...f.columns.map((c) => ({ name: c.name, type: hiveToTrino(c.type) })),
              { name: '$path', type: VARCHAR, hidden: true },
            ],
          },
        }
      },
    }
    try {
      const statement = parseStatement(sql)
      if (statement.kind !== 'query') return { error: 'NOT_SUPPORTED', message: statement.kind }
      const t = translate(statement.sql, tables, new Date())
      const resultFile = join(folder, 'result.csv')
      const reads = [...used].map((name) => {
        const f = this.#fixtures.find((x) => x.name === name)!
        mkdirSync(join(folder, name))
        const file = join(folder, name, '0.parquet')
        linkSync(join(this.#folder, name, '0.parquet'), file)
        return {
          read: {
            kind: 'files' as const,
            view: name,
            columns: f.columns.map((c) => ({ name: c.name, type: hiveToTrino(c.type) })),
            keys: [],
          },
          files: { folder: join(folder, name), paths: [[file, `s3://answers/${name}`] as const] },
        }
      })
      await runQuery(
        {
          id: 'q',
          folder,
          memoryLimit: '1GB',
          threads: 2,
          tables: reads,
          sql: t.sql,
          udfs: t.udfs,
          columns: t.columns,
          resultFile,
        },
        () => undefined,
      )
      return { names: t.columns.map((c) => c.name), rows: readCsv(readFileSync(resultFile, 'utf8')).slice(1) }
    } catch (error) {
      const { reason } = failureText(error)
      const [code, ...rest] = reason.split(': ')
      return {
        error: code!,
        message:
          rest.join(': ') +
          (error instanceof Error && reason.startsWith('GENERIC_INTERNAL') && process.env.STACKS
            ? `\n${error.stack}`
            : ''),
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  for (const m of text.matchAll(/(?:"((?:[^"]|"")*)"|)(,|\n)/g)) {
    row.push(m[1] === undefined ? null : m[1].replaceAll('""', '"'))
    if (m[2] === '\n') {
      rows.push(row)
      row = []
    }
  }
  return rows
}
