import type { Context } from '../caller.ts'
import { AppError, type FieldError, invalid } from '../errors.ts'
import type { ExportFormat, ExportShape } from '../http/export-writer.ts'
import { exportShape } from '../http/list-export.ts'
import { wholeListQuery } from '../http/list-query.ts'
import { requireScope } from '../http/visibility.ts'
import type { JobInput } from '../jobs/job.ts'
import type { ListStatement } from '../list.ts'
import type { ExportLists, ExportResource } from './export-list.ts'

/** An export as it is asked for by name. `filter` has the parameters of the list's address: `{"createdAt[gte]": "…"}`. */
export interface ExportRequest extends JobInput {
  readonly resource: ExportResource
  readonly format: ExportFormat
  readonly compress: 'none' | 'gzip'
  readonly filter?: Readonly<Record<string, string | number | boolean>> | undefined
  readonly q?: string | undefined
  readonly sort?: string | undefined
  readonly fields?: readonly string[] | undefined
  readonly expand?: readonly string[] | undefined
}

export interface PreparedExport {
  readonly statement: ListStatement
  readonly shape: ExportShape
}

/**
 * Checks an export against the rules of its list and of the caller's scopes.
 *
 * @throws AppError `validation` with pointers into the request, `forbidden`
 */
export async function prepareExport(
  lists: ExportLists,
  request: ExportRequest,
  context: Context,
): Promise<PreparedExport> {
  const { list, scope, page } = lists[request.resource]
  requireScope(context.principal, scope)
  try {
    const query = wholeListQuery(list, parametersOf(request), context.principal)
    const shape = exportShape(list, query, request.format, context)
    const { statement } = await page({ ...query.request, whole: true }, context)
    if (statement === undefined) throw new Error(`${request.resource} does not tell how to read its whole list`)
    return { statement, shape }
  } catch (error) {
    throw inBody(error)
  }
}

function parametersOf({ filter = {}, q, sort, fields, expand }: ExportRequest): Map<string, string> {
  const parameters = new Map(Object.entries(filter).map(([name, value]) => [name, String(value)]))
  for (const [name, value] of Object.entries({ q, sort, fields: fields?.join(), expand: expand?.join() })) {
    if (value !== undefined) parameters.set(name, value)
  }
  return parameters
}

const BESIDE_FILTER = new Set(['q', 'sort', 'fields', 'expand'])

/** A parameter of a query is a field of the body here. */
function inBody(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  if (error.code !== 'unknown-parameter' && error.code !== 'invalid-parameter') return error
  const errors = error.errors.map(({ parameter = '', ...rest }): FieldError => {
    const name = parameter.replaceAll('~', '~0').replaceAll('/', '~1')
    return { pointer: BESIDE_FILTER.has(parameter) ? `/${name}` : `/filter/${name}`, ...rest }
  })
  return invalid(errors.length > 0 ? errors : [{ pointer: '/filter', code: 'format', detail: error.message }])
}
