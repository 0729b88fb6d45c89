import type { GlueClient, Table } from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import { tablesOf } from './tables.ts'

// Athena keeps a view in Glue as a comment around the base64 of a JSON object, whose `originalSql` is the SELECT.
const PRESTO_VIEW = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/

function selectOf({ ViewOriginalText: text = '' }: Table): string {
  try {
    const json = Buffer.from(PRESTO_VIEW.exec(text.trim())?.[1] ?? '', 'base64').toString('utf8')
    const { originalSql } = JSON.parse(json) as { readonly originalSql?: unknown }
    return typeof originalSql === 'string' ? originalSql : ''
  } catch {
    return ''
  }
}

/**
 * The SELECT of every view of a database, by name, in a few calls for all of them; empty text where it is no view that Athena made.
 * Tables are left out.
 */
export async function storedViews(glue: GlueClient, database: string): Promise<Map<string, string>> {
  try {
    const tables = await tablesOf(glue, database)
    const views = [...tables].filter(([, table]) => table.TableType === 'VIRTUAL_VIEW')
    return new Map(views.map(([name, table]) => [name, selectOf(table)]))
  } catch (error) {
    if (awsErrorName(error) === 'EntityNotFoundException') return new Map()
    throw error
  }
}
