/** Named queries, prepared statements and tags. */
import { randomUUID } from 'node:crypto'
import { AwsError, type JsonObject, type JsonOperation } from '../../ports.ts'
import { invalidRequest, optionalText, page, text, texts } from './input.ts'
import type { JsonFolder } from './json-folder.ts'

export interface NamedQuery {
  readonly id: string
  readonly name: string
  readonly description?: string
  readonly database: string
  readonly query: string
  readonly workGroup: string
  /** The caller's own: a repeat of the request that made the query finds it. */
  readonly token?: string
}

export interface Prepared {
  readonly workGroup: string
  readonly name: string
  readonly query: string
  readonly description?: string
  readonly modified: number
}

export const preparedKey = (workGroup: string, name: string) => `${workGroup}/${name.toLowerCase()}`

export function namedQueryOperations(queries: JsonFolder<NamedQuery>): Record<string, JsonOperation> {
  const present = (q: NamedQuery): JsonObject => ({
    NamedQueryId: q.id,
    Name: q.name,
    Database: q.database,
    QueryString: q.query,
    WorkGroup: q.workGroup,
    ...(q.description === undefined ? {} : { Description: q.description }),
  })
  const get = (id: string) => {
    const q = queries.get(id)
    if (q === undefined) throw invalidRequest(`NamedQuery ${id} was not found`)
    return q
  }
  return {
    async CreateNamedQuery(input) {
      const description = optionalText(input, 'Description')
      const token = optionalText(input, 'ClientRequestToken')
      const before = token === undefined ? undefined : queries.values().find((q) => q.token === token)
      if (before !== undefined) {
        if (before.query !== text(input, 'QueryString') || before.name !== text(input, 'Name')) {
          throw invalidRequest('Idempotent parameters do not match')
        }
        return { NamedQueryId: before.id }
      }
      const q: NamedQuery = {
        id: randomUUID(),
        name: text(input, 'Name'),
        database: text(input, 'Database'),
        query: text(input, 'QueryString'),
        workGroup: optionalText(input, 'WorkGroup') ?? 'primary',
        ...(description === undefined ? {} : { description }),
        ...(token === undefined ? {} : { token }),
      }
      await queries.put(q.id, q)
      return { NamedQueryId: q.id }
    },
    GetNamedQuery: (input) => ({ NamedQuery: present(get(text(input, 'NamedQueryId'))) }),
    BatchGetNamedQuery(input) {
      const ids = texts(input, 'NamedQueryIds') ?? []
      return {
        NamedQueries: ids.flatMap((id) => queries.get(id) ?? []).map(present),
        UnprocessedNamedQueryIds: ids
          .filter((id) => queries.get(id) === undefined)
          .map((id) => ({
            NamedQueryId: id,
            ErrorCode: 'INVALID_INPUT',
            ErrorMessage: `NamedQuery ${id} was not found`,
          })),
      }
    },
    async UpdateNamedQuery(input) {
      const q = get(text(input, 'NamedQueryId'))
      const description = optionalText(input, 'Description') ?? q.description
      await queries.put(q.id, {
        ...q,
        name: text(input, 'Name'),
        query: text(input, 'QueryString'),
        ...(description === undefined ? {} : { description }),
      })
      return {}
    },
    async DeleteNamedQuery(input) {
      await queries.delete(get(text(input, 'NamedQueryId')).id)
      return {}
    },
    ListNamedQueries(input) {
      const group = optionalText(input, 'WorkGroup') ?? 'primary'
      const { items, next } = page(
        input,
        queries
          .values()
          .filter((q) => q.workGroup === group)
          .map((q) => q.id)
          .sort(),
      )
      return { NamedQueryIds: items, ...next }
    },
  }
}

export function preparedOperations(prepared: JsonFolder<Prepared>): Record<string, JsonOperation> {
  const present = (p: Prepared): JsonObject => ({
    StatementName: p.name,
    QueryStatement: p.query,
    WorkGroupName: p.workGroup,
    LastModifiedTime: p.modified,
    ...(p.description === undefined ? {} : { Description: p.description }),
  })
  const get = (input: JsonObject): Prepared => {
    const name = text(input, 'StatementName')
    const p = prepared.get(preparedKey(text(input, 'WorkGroup'), name))
    if (p === undefined) throw new AwsError('ResourceNotFoundException', `PreparedStatement ${name} was not found`)
    return p
  }
  const put = async (input: JsonObject, mustExist: boolean) => {
    const [workGroup, name] = [text(input, 'WorkGroup'), text(input, 'StatementName')]
    const key = preparedKey(workGroup, name)
    if (!/^[a-zA-Z_][a-zA-Z0-9_@:]{0,255}$/.test(name)) throw invalidRequest(`StatementName ${name} is not valid`)
    if (mustExist) get(input)
    else if (prepared.get(key) !== undefined) throw invalidRequest(`PreparedStatement ${name} already exists`)
    const description = optionalText(input, 'Description')
    await prepared.put(key, {
      workGroup,
      name,
      query: text(input, 'QueryStatement'),
      modified: Date.now() / 1000,
      ...(description === undefined ? {} : { description }),
    })
    return {}
  }
  return {
    CreatePreparedStatement: (input) => put(input, false),
    UpdatePreparedStatement: (input) => put(input, true),
    GetPreparedStatement: (input) => ({ PreparedStatement: present(get(input)) }),
    BatchGetPreparedStatement(input) {
      const group = text(input, 'WorkGroup')
      const names = texts(input, 'PreparedStatementNames') ?? []
      const found = names.map((n) => [n, prepared.get(preparedKey(group, n))] as const)
      return {
        PreparedStatements: found.flatMap(([, p]) => (p === undefined ? [] : [present(p)])),
        UnprocessedPreparedStatementNames: found.flatMap(([n, p]) =>
          p === undefined
            ? [
                {
                  StatementName: n,
                  ErrorCode: 'STATEMENT_NOT_FOUND',
                  ErrorMessage: `PreparedStatement ${n} was not found`,
                },
              ]
            : [],
        ),
      }
    },
    async DeletePreparedStatement(input) {
      const p = get(input)
      await prepared.delete(preparedKey(p.workGroup, p.name))
      return {}
    },
    ListPreparedStatements(input) {
      const group = text(input, 'WorkGroup')
      const { items, next } = page(
        input,
        prepared
          .values()
          .filter((p) => p.workGroup === group)
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      )
      return {
        PreparedStatements: items.map((p) => ({ StatementName: p.name, LastModifiedTime: p.modified })),
        ...next,
      }
    },
  }
}

export function tagOperations(tags: JsonFolder<Record<string, string>>): Record<string, JsonOperation> {
  return {
    async TagResource(input) {
      const arn = text(input, 'ResourceARN')
      const given = (input.Tags ?? []) as readonly { readonly Key?: string; readonly Value?: string }[]
      await tags.put(arn, { ...tags.get(arn), ...Object.fromEntries(given.map((t) => [t.Key ?? '', t.Value ?? ''])) })
      return {}
    },
    async UntagResource(input) {
      const arn = text(input, 'ResourceARN')
      const gone = new Set(texts(input, 'TagKeys') ?? [])
      await tags.put(arn, Object.fromEntries(Object.entries(tags.get(arn) ?? {}).filter(([k]) => !gone.has(k))))
      return {}
    },
    ListTagsForResource: (input) => ({
      Tags: Object.entries(tags.get(text(input, 'ResourceARN')) ?? {}).map(([Key, Value]) => ({ Key, Value })),
    }),
  }
}
