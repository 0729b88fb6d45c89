/** The catalogue as Athena shows it: data catalogs, databases, table metadata. */
import { ACCOUNT_ID } from '../../account-id.ts'
import {
  AwsError,
  type Catalogue,
  type JsonObject,
  type JsonOperation,
  type RequestContext,
  type WireDatabase,
  type WireTable,
} from '../../ports.ts'
import { invalidRequest, optionalText, page, text } from './input.ts'

const CATALOG = 'AwsDataCatalog'

function checkCatalog(input: JsonObject, name: 'CatalogName' | 'Name'): void {
  const catalog = text(input, name)
  if (catalog.toLowerCase() !== CATALOG.toLowerCase()) throw invalidRequest(`Catalog ${catalog} is not found`)
}

/** The words that PyAthena reads; without them it tries again for a minute. */
function missing(what: string, context: RequestContext): AwsError {
  return new AwsError(
    'MetadataException',
    `${what} (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID: ${context.requestId}; Proxy: null)`,
  )
}

const presentDatabase = (d: WireDatabase): JsonObject => ({
  Name: d.Name,
  ...(d.Description === undefined ? {} : { Description: d.Description }),
  Parameters: { ...d.Parameters, ...(d.LocationUri === undefined ? {} : { location: d.LocationUri }) },
})

function presentTable(t: WireTable): JsonObject {
  const sd = t.StorageDescriptor
  const parameters: Record<string, string> = { ...t.Parameters }
  if (sd?.Location) parameters.location = sd.Location
  if (sd?.InputFormat) parameters.inputformat = sd.InputFormat
  if (sd?.OutputFormat) parameters.outputformat = sd.OutputFormat
  if (sd?.SerdeInfo?.SerializationLibrary) parameters['serde.serialization.lib'] = sd.SerdeInfo.SerializationLibrary
  for (const [k, v] of Object.entries(sd?.SerdeInfo?.Parameters ?? {})) parameters[`serde.param.${k}`] = v
  const columns = (list: WireTable['PartitionKeys']) =>
    (list ?? []).map((c) => ({
      Name: c.Name,
      Type: c.Type,
      ...(c.Comment === undefined ? {} : { Comment: c.Comment }),
    }))
  return {
    Name: t.Name,
    ...(t.CreateTime === undefined ? {} : { CreateTime: t.CreateTime }),
    LastAccessTime: t.LastAccessTime ?? 0,
    TableType: t.TableType ?? 'EXTERNAL_TABLE',
    Columns: columns(sd?.Columns),
    PartitionKeys: columns(t.PartitionKeys),
    Parameters: parameters,
  }
}

export function metadataOperations(catalogue: Catalogue): Record<string, JsonOperation> {
  const databaseOf = (input: JsonObject, context: RequestContext): string => {
    const name = text(input, 'DatabaseName').toLowerCase()
    if (catalogue.database(name) === undefined) throw missing(`Database ${name} not found.`, context)
    return name
  }
  return {
    ListDataCatalogs: () => ({ DataCatalogsSummary: [{ CatalogName: CATALOG, Type: 'GLUE' }] }),
    GetDataCatalog(input) {
      checkCatalog(input, 'Name')
      return { DataCatalog: { Name: CATALOG, Type: 'GLUE', Parameters: { 'catalog-id': ACCOUNT_ID } } }
    },
    ListDatabases(input) {
      checkCatalog(input, 'CatalogName')
      const { items, next } = page(input, catalogue.databases())
      return { DatabaseList: items.map(presentDatabase), ...next }
    },
    GetDatabase(input, context) {
      checkCatalog(input, 'CatalogName')
      return { Database: presentDatabase(catalogue.database(databaseOf(input, context))!) }
    },
    ListTableMetadata(input, context) {
      checkCatalog(input, 'CatalogName')
      const database = databaseOf(input, context)
      const expression = optionalText(input, 'Expression')
      let tables = catalogue.tables(database)
      if (expression !== undefined && expression !== '') {
        const re = new RegExp(`^(?:${expression.replace(/[^\w|.*]/g, '\\$&').replace(/(?<!\.)\*/g, '.*')})$`, 'i')
        tables = tables.filter((t) => re.test(t.Name!))
      }
      const { items, next } = page(input, tables)
      return { TableMetadataList: items.map(presentTable), ...next }
    },
    GetTableMetadata(input, context) {
      checkCatalog(input, 'CatalogName')
      const database = databaseOf(input, context)
      const table = catalogue.table(database, text(input, 'TableName').toLowerCase())
      if (table === undefined) throw missing(`Table ${String(input.TableName)} not found.`, context)
      return { TableMetadata: presentTable(table) }
    },
  }
}
