import type { Catalogue, WireTable } from '../../ports.ts'
import { BIGINT, type TrinoType, typeText, VARCHAR } from '../dialect/trino-type.ts'
import { QueryFailure } from '../failure.ts'
import { hiveToTrino } from './hive-trino.ts'
import { decodeView, isView } from './presto-view.ts'

export interface ConstantTable {
  readonly columns: readonly { readonly name: string; readonly type: TrinoType }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

const CATALOG = 'awsdatacatalog'
const text = (...names: string[]) => names.map((name) => ({ name, type: VARCHAR }))

export function informationSchema(catalogue: Catalogue, table: string): ConstantTable {
  const databases = catalogue.databases().map((d) => d.Name!)
  const tables = () => databases.flatMap((d) => catalogue.tables(d).map((t) => [d, t] as const))
  switch (table) {
    case 'schemata':
      return {
        columns: text('catalog_name', 'schema_name'),
        rows: [...databases, 'information_schema'].map((d) => [CATALOG, d]),
      }
    case 'tables':
      return {
        columns: text('table_catalog', 'table_schema', 'table_name', 'table_type'),
        rows: tables().map(([d, t]) => [CATALOG, d, t.Name!, isView(t) ? 'VIEW' : 'BASE TABLE']),
      }
    case 'views':
      return {
        columns: text('table_catalog', 'table_schema', 'table_name', 'view_definition'),
        rows: tables().flatMap(([d, t]) =>
          isView(t) ? [[CATALOG, d, t.Name!, decodeView(t, `${d}.${t.Name}`).sql]] : [],
        ),
      }
    case 'columns':
      return {
        columns: [
          ...text('table_catalog', 'table_schema', 'table_name', 'column_name'),
          { name: 'ordinal_position', type: BIGINT },
          ...text('column_default', 'is_nullable', 'data_type', 'comment', 'extra_info'),
        ],
        rows: tables().flatMap(([d, t]) =>
          columnsOf(t, d).map((c, i) => [
            CATALOG,
            d,
            t.Name!,
            c.name,
            String(i + 1),
            null,
            'YES',
            c.type,
            c.comment,
            c.key ? 'partition key' : null,
          ]),
        ),
      }
    default:
      throw new QueryFailure('TABLE_NOT_FOUND', `Table '${CATALOG}.information_schema.${table}' does not exist`)
  }
}

function columnsOf(
  t: WireTable,
  database: string,
): { name: string; type: string; comment: string | null; key: boolean }[] {
  const trino = (type: string | undefined) => {
    try {
      return typeText(hiveToTrino(type ?? 'string'))
    } catch {
      return type ?? 'varchar'
    }
  }
  if (isView(t))
    return decodeView(t, `${database}.${t.Name}`).columns.map((c) => ({
      name: c.name,
      type: typeText(c.type),
      comment: null,
      key: false,
    }))
  const of = (list: WireTable['PartitionKeys'], key: boolean) =>
    (list ?? []).map((c) => ({ name: c.Name!, type: trino(c.Type), comment: c.Comment ?? null, key }))
  return [...of(t.StorageDescriptor?.Columns, false), ...of(t.PartitionKeys, true)]
}
