/** Views in Athena's form: `/* Presto View: <base64 of JSON>` and the end of the comment, in ViewOriginalText. */

import type { JsonObject, WireTable } from '../../ports.ts'
import type { ViewInfo } from '../dialect/scope.ts'
import { type TrinoType, typeText } from '../dialect/trino-type.ts'
import { QueryFailure } from '../failure.ts'
import { trinoToHive, trinoTypeOf } from './hive-trino.ts'

export const isView = (t: WireTable) => t.TableType === 'VIRTUAL_VIEW'

interface Stored {
  readonly originalSql: string
  readonly catalog?: string
  readonly schema?: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

export function decodeView(t: WireTable, key: string): ViewInfo {
  const encoded = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(t.ViewOriginalText ?? '')?.[1]
  let stored: Stored | undefined
  try {
    stored = encoded === undefined ? undefined : (JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as Stored)
  } catch {
    stored = undefined
  }
  if (stored === undefined || typeof stored.originalSql !== 'string' || !Array.isArray(stored.columns))
    throw new QueryFailure('NOT_SUPPORTED', `View ${key} is not a view of Athena`)
  return {
    sql: stored.originalSql,
    catalog: stored.catalog ?? 'awsdatacatalog',
    schema: stored.schema ?? t.DatabaseName ?? 'default',
    columns: stored.columns.map((c) => ({ name: c.name, type: trinoTypeOf(c.type) })),
  }
}

/** TableInput of a view. */
export function viewTableInput(
  name: string,
  database: string,
  sql: string,
  columns: readonly { readonly name: string; readonly type: TrinoType }[],
): JsonObject {
  const stored = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map((c) => ({ name: c.name.toLowerCase(), type: typeText(c.type) })),
    owner: 'local',
    runAsInvoker: false,
    path: [],
  }
  return {
    Name: name,
    TableType: 'VIRTUAL_VIEW',
    Owner: 'local',
    Parameters: { presto_view: 'true', comment: 'Presto View' },
    PartitionKeys: [],
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(stored)).toString('base64')} */`,
    ViewExpandedText: '/* Presto View */',
    StorageDescriptor: {
      Columns: columns.map((c) => ({ Name: c.name.toLowerCase(), Type: trinoToHive(c.type) })),
      SerdeInfo: {},
    },
  }
}
