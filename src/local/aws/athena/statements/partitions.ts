import type { JsonObject, WireTable } from '../../ports.ts'
import { parseS3 } from '../catalogue/link-files.ts'
import { QueryFailure } from '../failure.ts'
import type { DdlContext } from './ddl-context.ts'
import type { PartitionSpec } from './statement.ts'

/** Glue's limit for one BatchCreatePartition. */
const BATCH = 100

interface BatchErrors {
  readonly Errors?: readonly {
    readonly PartitionValues?: readonly string[]
    readonly ErrorDetail?: { readonly ErrorCode?: string; readonly ErrorMessage?: string }
  }[]
}

function valuesOf(t: WireTable, spec: PartitionSpec): string[] {
  const keys = (t.PartitionKeys ?? []).map((k) => k.Name!.toLowerCase())
  const given = new Map(spec.values)
  if (given.size !== keys.length || keys.some((k) => !given.has(k)))
    throw new QueryFailure(
      'INVALID_PARTITION_VALUE',
      `A partition of ${t.Name} needs a value for each of: ${keys.join(', ') || '(no partition keys)'}`,
    )
  return keys.map((k) => given.get(k)!)
}

function inputOf(t: WireTable, values: readonly string[], location: string): JsonObject {
  return { Values: values, StorageDescriptor: { ...t.StorageDescriptor, Location: location } }
}

const tableRoot = (t: WireTable) => (t.StorageDescriptor?.Location ?? '').replace(/\/*$/, '/')
const folderOf = (t: WireTable, values: readonly string[]) =>
  `${tableRoot(t)}${values.map((v, i) => `${t.PartitionKeys![i]!.Name}=${encodeURIComponent(v)}`).join('/')}/`

async function create(
  c: DdlContext,
  t: WireTable,
  inputs: readonly JsonObject[],
  tolerateExisting: boolean,
): Promise<void> {
  for (let i = 0; i < inputs.length; i += BATCH) {
    const answer = (await c.catalogue.call('BatchCreatePartition', {
      DatabaseName: t.DatabaseName,
      TableName: t.Name,
      PartitionInputList: inputs.slice(i, i + BATCH),
    })) as BatchErrors
    const error = (answer.Errors ?? []).find(
      (e) => !(tolerateExisting && e.ErrorDetail?.ErrorCode === 'AlreadyExistsException'),
    )
    if (error !== undefined)
      throw new QueryFailure(
        error.ErrorDetail?.ErrorCode === 'AlreadyExistsException' ? 'ALREADY_EXISTS' : 'GENERIC_USER_ERROR',
        `Partition ${error.PartitionValues?.join('/')}: ${error.ErrorDetail?.ErrorMessage ?? ''}`,
      )
  }
}

export async function addPartitions(
  c: DdlContext,
  t: WireTable,
  specs: readonly PartitionSpec[],
  ifNotExists: boolean,
): Promise<void> {
  const inputs = specs.map((s) => {
    const values = valuesOf(t, s)
    if (s.location !== undefined) parseS3(s.location)
    return inputOf(t, values, s.location ?? folderOf(t, values))
  })
  await create(c, t, inputs, ifNotExists)
}

export async function dropPartitions(
  c: DdlContext,
  t: WireTable,
  specs: readonly PartitionSpec[],
  ifExists: boolean,
): Promise<void> {
  const keys = (t.PartitionKeys ?? []).map((k) => k.Name!.toLowerCase())
  for (const s of specs) {
    const unknown = s.values.find(([k]) => !keys.includes(k))
    if (unknown !== undefined)
      throw new QueryFailure('INVALID_PARTITION_VALUE', `${t.Name} has no partition key ${unknown[0]}`)
    const given = new Map(s.values)
    const found = c.catalogue
      .partitions(t.DatabaseName!, t.Name!)
      .filter((p) => keys.every((k, i) => !given.has(k) || given.get(k) === p.Values?.[i]))
    if (found.length === 0 && !ifExists)
      throw new QueryFailure(
        'PARTITION_NOT_FOUND',
        `Partition not found: ${s.values.map(([k, v]) => `${k}=${v}`).join('/')}`,
      )
    for (const p of found)
      await c.catalogue.call('DeletePartition', {
        DatabaseName: t.DatabaseName,
        TableName: t.Name,
        PartitionValues: p.Values,
      })
  }
}

/** Registers every `key=value` folder below the table's location that the catalogue does not know. */
export async function repair(c: DdlContext, t: WireTable): Promise<string[]> {
  const keys = (t.PartitionKeys ?? []).map((k) => k.Name!.toLowerCase())
  if (keys.length === 0) return []
  const { bucket, prefix } = parseS3(tableRoot(t))
  const known = new Set(c.catalogue.partitions(t.DatabaseName!, t.Name!).map((p) => JSON.stringify(p.Values)))
  const found = new Map<string, string[]>()
  for await (const object of c.store.list(bucket, prefix)) {
    const folders = object.key.slice(prefix.length).split('/').slice(0, -1)
    if (folders.length < keys.length || found.has(folders.slice(0, keys.length).join('/'))) continue
    const values = keys.map((k, i) => {
      const [name, ...rest] = folders[i]!.split('=')
      return name!.toLowerCase() === k && rest.length > 0 ? decodeURIComponent(rest.join('=')) : undefined
    })
    if (values.every((v) => v !== undefined) && !known.has(JSON.stringify(values)))
      found.set(folders.slice(0, keys.length).join('/'), values as string[])
  }
  await create(
    c,
    t,
    [...found].map(([path, values]) => inputOf(t, values, `${tableRoot(t)}${path}/`)),
    true,
  )
  return [
    `Partitions not in metastore:\t${[...found.keys()].map((p) => `${t.Name}:${p}`).join('\t')}`,
    ...[...found.keys()].map((p) => `Repair: Added partition to metastore ${t.Name}:${p}`),
  ].slice(found.size === 0 ? 1 : 0)
}
