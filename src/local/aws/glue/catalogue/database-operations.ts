import { ACCOUNT_ID } from '../../account-id.ts'
import type { JsonObject, JsonOperation, WireDatabase } from '../../ports.ts'
import { page } from '../page.ts'
import {
  absent,
  alreadyExists,
  checkFields,
  checkTypes,
  type Fields,
  invalidInput,
  lowerName,
  nowSeconds,
  object,
  objects,
  oneOf,
  operation,
  optionalObject,
  optionalTexts,
  textMap,
} from '../request.ts'
import type { CatalogueStore } from '../store/catalogue-store.ts'
import { findDatabase } from './find.ts'
import { present } from './table-input.ts'

const DATABASE_INPUT: Fields = {
  required: ['Name'],
  optional: ['Description', 'LocationUri', 'Parameters', 'CreateTableDefaultPermissions'],
}

const SHARE_TYPES = ['FOREIGN', 'ALL', 'FEDERATED'] as const

/** CreateDatabase, GetDatabase, GetDatabases, UpdateDatabase, DeleteDatabase. */
export function databaseOperations(store: CatalogueStore): Record<string, JsonOperation> {
  return {
    CreateDatabase: operation({ required: ['DatabaseInput'], optional: ['Tags'] }, (input) => {
      const given = object(input, 'DatabaseInput')
      const name = lowerName(given, 'Name', 'DatabaseInput.')
      const record = { database: databaseOf(given, nowSeconds()), tags: textMap(input, 'Tags') ?? {} }
      return store.exclusive(name, async () => {
        if (store.database(name)) throw alreadyExists('Database already exists.')
        await store.createDatabase(name, record)
        return {}
      })
    }),
    GetDatabase: operation({ required: ['Name'] }, (input) => ({
      Database: findDatabase(store, lowerName(input, 'Name')).record.database,
    })),
    GetDatabases: operation(
      { optional: ['NextToken', 'MaxResults', 'ResourceShareType', 'AttributesToGet'] },
      (input) => getDatabases(store, input),
    ),
    UpdateDatabase: operation({ required: ['Name', 'DatabaseInput'] }, (input) => {
      const name = lowerName(input, 'Name')
      const given = object(input, 'DatabaseInput')
      if (lowerName(given, 'Name', 'DatabaseInput.') !== name) {
        throw invalidInput('DatabaseInput.Name: renaming a database is not supported by the local endpoint')
      }
      return store.exclusive(name, async () => {
        const entry = findDatabase(store, name)
        const created = entry.record.database.CreateTime ?? nowSeconds()
        await store.saveDatabase(entry, { ...entry.record, database: databaseOf(given, created) })
        return {}
      })
    }),
    DeleteDatabase: operation({ required: ['Name'] }, (input) => {
      const name = lowerName(input, 'Name')
      return store.exclusive(name, async () => {
        findDatabase(store, name)
        await store.deleteDatabase(name)
        return {}
      })
    }),
  }
}

function databaseOf(input: JsonObject, createdSeconds: number): WireDatabase {
  checkFields(input, DATABASE_INPUT, 'DatabaseInput.')
  checkTypes(input, { texts: ['Description', 'LocationUri'] }, 'DatabaseInput.')
  return {
    ...present(input),
    Name: lowerName(input, 'Name', 'DatabaseInput.'),
    Parameters: textMap(input, 'Parameters', 'DatabaseInput.') ?? {},
    CreateTableDefaultPermissions: permissions(input),
    CreateTime: createdSeconds,
    CatalogId: ACCOUNT_ID,
  } as WireDatabase
}

function permissions(input: JsonObject): JsonObject[] {
  const name = 'CreateTableDefaultPermissions'
  if (absent(input[name])) {
    return [{ Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, Permissions: ['ALL'] }]
  }
  const where = `DatabaseInput.${name}.`
  return objects(input, name, Number.POSITIVE_INFINITY, 'DatabaseInput.').map((one) => {
    checkFields(one, { optional: ['Principal', 'Permissions'] }, where)
    checkTypes(optionalObject(one, 'Principal', where) ?? {}, { texts: ['DataLakePrincipalIdentifier'] }, where)
    optionalTexts(one, 'Permissions', where)
    return one
  })
}

function getDatabases(store: CatalogueStore, input: JsonObject): JsonObject {
  const shared = oneOf(input, 'ResourceShareType', SHARE_TYPES)
  const onlyNames = optionalTexts(input, 'AttributesToGet')?.length
  // Nothing is shared with this account from elsewhere.
  const entries = shared === 'FOREIGN' || shared === 'FEDERATED' ? [] : store.databases()
  const names = entries.map((entry) => entry.record.database.Name ?? '')
  const { items, ...rest } = page(input, names, (name) => store.database(name)?.record.database, 100)
  return { DatabaseList: onlyNames ? items.map(({ Name }) => ({ Name })) : items, ...rest }
}
