import type { JsonObject, JsonOperation, WireTable } from '../../ports.ts'
import { page } from '../page.ts'
import { invalidInput, notFound, operation, optionalText, text, texts } from '../request.ts'
import type { CatalogueStore, TableEntry } from '../store/catalogue-store.ts'
import { changeTable, errorDetail, namedTable } from './find.ts'

const TABLE = ['DatabaseName', 'TableName']

/** GetTableVersion, GetTableVersions, DeleteTableVersion, BatchDeleteTableVersion. The newest version is the table itself. */
export function tableVersionOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    GetTableVersion: operation({ required: TABLE, optional: ['VersionId'], ignored: ['AuditContext'] }, (input) => {
      const table = namedTable(store, input)
      const id = optionalText(input, 'VersionId') ?? table.record.table.VersionId ?? '0'
      const found = versionOf(table, id)
      if (!found) throw notFound(`version not found: ${id}`)
      return { TableVersion: { Table: found, VersionId: id } }
    }),
    GetTableVersions: operation(
      { required: TABLE, optional: ['NextToken', 'MaxResults'], ignored: ['AuditContext'] },
      (input) => {
        const table = namedTable(store, input)
        const { items, ...rest } = page(input, newestFirst(table), (key) => versionOf(table, idOfKey(key)), 100)
        return { TableVersions: items.map((Table) => ({ Table, VersionId: Table.VersionId })), ...rest }
      },
    ),
    DeleteTableVersion: operation({ required: [...TABLE, 'VersionId'] }, (input) =>
      changeTable(store, input, async (table) => {
        await deleteVersion(table, text(input, 'VersionId'))
        return {}
      }),
    ),
    BatchDeleteTableVersion: operation({ required: [...TABLE, 'VersionIds'] }, (input) => {
      const ids = texts(input, 'VersionIds', 100)
      return changeTable(store, input, async (table) => {
        const Errors: JsonObject[] = []
        for (const id of ids) {
          try {
            await deleteVersion(table, id)
          } catch (error) {
            Errors.push({ TableName: table.record.table.Name, VersionId: id, ErrorDetail: errorDetail(error) })
          }
        }
        return { Errors }
      })
    }),
  }
}

/** A crash between archiving and replacing leaves the current version in the archive too: only older ones count there. */
function versionOf(table: TableEntry, id: string): WireTable | undefined {
  const current = table.record.table
  if (id === current.VersionId) return current
  return Number(id) < Number(current.VersionId) ? table.versions.get(id) : undefined
}

async function deleteVersion(table: TableEntry, id: string): Promise<void> {
  if (id === table.record.table.VersionId) throw invalidInput('The current version of a table cannot be deleted')
  if (!versionOf(table, id)) throw notFound(`version not found: ${id}`)
  await table.versions.write([[id, null]])
}

/** Keys whose ascending order is that of descending version numbers. */
const KEY_BASE = 1e12
const idOfKey = (key: string): string => String(KEY_BASE - Number(key))

function newestFirst(table: TableEntry): string[] {
  const ids = new Set([...table.versions.keys(), table.record.table.VersionId ?? '0'])
  return [...ids]
    .filter((id) => versionOf(table, id) !== undefined)
    .map((id) => String(KEY_BASE - Number(id)).padStart(13, '0'))
    .sort()
}
