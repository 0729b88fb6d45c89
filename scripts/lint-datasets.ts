import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { contractsOf } from '../src/lake/contract.ts'
import { type Dataset, datasets } from '../src/lake/datasets.ts'
import { ownBreaches, schemaBreaches } from './dataset-rules.ts'
import { prismaColumns } from './prisma-columns.ts'

/**
 * `npm run check`: datasets.ts against its own rules and against schema.prisma, so that a column without a class fails the
 * build. Other files may be given: `node scripts/lint-datasets.ts [schema.prisma] [datasets.ts]`.
 */

export function lintDatasets(entries: Readonly<Record<string, Dataset>>, schema: string): string[] {
  const contracts = contractsOf(entries)
  return [...ownBreaches(entries, contracts), ...schemaBreaches(entries, contracts, prismaColumns(schema))]
}

async function main([schemaFile, datasetsFile]: readonly string[]): Promise<void> {
  const schema = readFileSync(schemaFile ?? new URL('../prisma/schema.prisma', import.meta.url), 'utf8')
  const entries = datasetsFile === undefined ? datasets : (await import(pathToFileURL(datasetsFile).href)).datasets
  const breaches = lintDatasets(entries, schema)
  for (const breach of breaches) process.stderr.write(`datasets.ts: ${breach}\n`)
  if (breaches.length > 0) process.exitCode = 1
}

if (import.meta.main) await main(process.argv.slice(2))
