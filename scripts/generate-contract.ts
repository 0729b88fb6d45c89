/**
 * `npm run generate:contract`: writes the contract of the lake's tables as `glue-jobs/rocketgames_glue/contract.json`, from which the
 * Python jobs read types, classes and keys. `datasets.ts` stays the only place that says them.
 */
import { writeFileSync } from 'node:fs'
import { contractSetFingerprint, contracts, copySelect } from '../src/lake/contract.ts'
import { readOptions } from './read-options.ts'

const FORMAT = 1

/** The text of `contract.json`: every table, an earlier version before the current one, columns in the order of the file. */
export function generatedContract(): string {
  const tables = contracts.map((contract) => ({
    name: contract.name,
    lake_table: contract.lakeTable,
    table: contract.table,
    version: contract.version,
    earlier: contract.earlier,
    retired: contract.retired,
    fingerprint: contract.fingerprint,
    description: contract.description,
    primary_key: contract.primaryKey,
    copy_select: copySelect(contract),
    columns: contract.columns.map((column) => ({
      name: column.name,
      source: column.source,
      sql: column.sql,
      pg_type: column.pgType,
      athena_type: column.athenaType,
      nullable: column.nullable,
      data_class: column.class,
      action: column.action,
      on_unrepresentable: column.onUnrepresentable,
      stats: column.stats,
      description: column.about?.description ?? null,
    })),
  }))
  const text = JSON.stringify({ contract_format: FORMAT, set_fingerprint: contractSetFingerprint, tables }, null, 2)
  // Short lists on one line, as the formatter wants them.
  return `${text.replace(/\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g, (_all, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`
}

if (import.meta.main) {
  readOptions(
    { usage: 'npm run generate:contract', about: 'Writes glue-jobs/rocketgames_glue/contract.json', options: {} },
    process.argv.slice(2),
  )
  writeFileSync(new URL('../glue-jobs/rocketgames_glue/contract.json', import.meta.url), generatedContract())
}
