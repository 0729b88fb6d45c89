import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { JsonObject, JsonOperation } from '../../ports.ts'
import { type Execution, isFinal, present } from './execution.ts'
import type { Executor } from './executor.ts'
import { invalidRequest, object, optionalNumber, optionalText, page, text, texts } from './input.ts'
import type { JsonFolder } from './json-folder.ts'
import { resultPage } from './results.ts'
import { getGroup, type WorkGroup } from './work-groups.ts'

/** Athena's limit for the text of a query. */
const MAX_QUERY_BYTES = 262_144
const MAX_PAGE_ROWS = 1_000

export interface QueryOperationsOptions {
  readonly dir: string
  readonly executions: JsonFolder<Execution>
  readonly groups: JsonFolder<WorkGroup>
  readonly executor: Executor
}

export function queryOperations(o: QueryOperationsOptions): Record<string, JsonOperation> {
  let sequence = o.executions.values().reduce((max, e) => Math.max(max, e.sequence), 0)
  const tokens = new Map(
    o.executions.values().flatMap((e) => (e.token === undefined ? [] : [[e.token, e.id] as const])),
  )
  const get = (input: JsonObject): Execution => {
    const id = text(input, 'QueryExecutionId')
    const e = o.executions.get(id)
    if (e === undefined) throw invalidRequest(`QueryExecution ${id} was not found`)
    return e
  }

  const start: JsonOperation = async (input) => {
    const query = text(input, 'QueryString')
    if (Buffer.byteLength(query) > MAX_QUERY_BYTES)
      throw invalidRequest(`The query is longer than ${MAX_QUERY_BYTES} bytes`)
    const token = optionalText(input, 'ClientRequestToken')
    const known = token === undefined ? undefined : o.executions.get(tokens.get(token) ?? '')
    if (known !== undefined) {
      if (known.query !== query) throw invalidRequest('Idempotent parameters do not match')
      return { QueryExecutionId: known.id }
    }
    const group = getGroup(o.groups, optionalText(input, 'WorkGroup') ?? 'primary')
    if (group.state === 'DISABLED') throw invalidRequest(`WorkGroup ${group.name} is disabled.`)
    const context = object(input, 'QueryExecutionContext')
    const parameters = texts(input, 'ExecutionParameters')
    const id = randomUUID()
    const output = outputOf(input, group)
    const cutoff = group.configuration.BytesScannedCutoffPerQuery
    const e: Execution = {
      id,
      query,
      database: (optionalText(context, 'Database') ?? 'default').replace(/^[`"](.*)[`"]$/, '$1').toLowerCase(),
      catalog: (optionalText(context, 'Catalog') ?? 'awsdatacatalog').toLowerCase(),
      workGroup: group.name,
      output: `${output}${id}.csv`,
      statementType: 'DML',
      state: 'QUEUED',
      submitted: Date.now() / 1000,
      scannedBytes: 0,
      queueMillis: 0,
      planMillis: 0,
      engineMillis: 0,
      rows: 0,
      format: 'csv',
      sequence: ++sequence,
      ...(parameters === undefined || parameters.length === 0 ? {} : { parameters }),
      ...(token === undefined ? {} : { token }),
      ...(typeof cutoff === 'number' ? { bytesCutoff: cutoff } : {}),
    }
    if (token !== undefined) tokens.set(token, id)
    await o.executions.put(id, e)
    o.executor.submit(e)
    return { QueryExecutionId: id }
  }

  return {
    StartQueryExecution: start,
    async StopQueryExecution(input) {
      const e = get(input)
      if (!isFinal(e.state)) o.executor.stop(e.id)
      return {}
    },
    GetQueryExecution: (input) => ({ QueryExecution: present(get(input)) }),
    BatchGetQueryExecution(input) {
      const ids = texts(input, 'QueryExecutionIds') ?? []
      if (ids.length > 50) throw invalidRequest('QueryExecutionIds must have at most 50 entries')
      return {
        QueryExecutions: ids.flatMap((id) => o.executions.get(id) ?? []).map(present),
        UnprocessedQueryExecutionIds: ids
          .filter((id) => o.executions.get(id) === undefined)
          .map((id) => ({
            QueryExecutionId: id,
            ErrorCode: 'INVALID_INPUT',
            ErrorMessage: `QueryExecution ${id} was not found`,
          })),
      }
    },
    ListQueryExecutions(input) {
      const group = optionalText(input, 'WorkGroup') ?? 'primary'
      getGroup(o.groups, group)
      const { items, next } = page(
        input,
        o.executions
          .values()
          .filter((e) => e.workGroup === group)
          .sort((a, b) => b.sequence - a.sequence)
          .map((e) => e.id),
      )
      return { QueryExecutionIds: items, ...next }
    },
    async GetQueryResults(input) {
      const e = get(input)
      if (e.state === 'FAILED' || e.state === 'CANCELLED')
        throw invalidRequest(
          `Query did not finish successfully. Final query state: ${e.state}`,
          'INVALID_QUERY_EXECUTION_STATE',
        )
      if (e.state !== 'SUCCEEDED')
        throw invalidRequest(`Query has not yet finished. Current state: ${e.state}`, 'INVALID_QUERY_EXECUTION_STATE')
      return await resultPage(
        join(o.dir, 'results', e.id),
        e,
        optionalNumber(input, 'MaxResults', 1, MAX_PAGE_ROWS) ?? MAX_PAGE_ROWS,
        optionalText(input, 'NextToken'),
      )
    },
    GetQueryRuntimeStatistics(input) {
      const e = get(input)
      return {
        QueryRuntimeStatistics: {
          Timeline: {
            QueryQueueTimeInMillis: e.queueMillis,
            QueryPlanningTimeInMillis: e.planMillis,
            EngineExecutionTimeInMillis: e.engineMillis,
            ServiceProcessingTimeInMillis: 0,
            TotalExecutionTimeInMillis: e.queueMillis + e.planMillis + e.engineMillis,
          },
          Rows: { OutputRows: e.rows, InputBytes: e.scannedBytes },
        },
      }
    },
  }
}

/** An enforced location of the work group wins over the client's. */
function outputOf(input: JsonObject, group: WorkGroup): string {
  const own = optionalText(object(input, 'ResultConfiguration'), 'OutputLocation')
  const groups = optionalText(object(group.configuration, 'ResultConfiguration'), 'OutputLocation')
  const location =
    group.configuration.EnforceWorkGroupConfiguration === true && groups !== undefined ? groups : (own ?? groups)
  if (location === undefined)
    throw invalidRequest(
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
    )
  if (!/^s3:\/\/[^/]+/.test(location)) throw invalidRequest(`outputLocation is not a valid S3 path: ${location}`)
  return location.endsWith('/') ? location : `${location}/`
}
