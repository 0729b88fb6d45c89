import type { Context } from '../caller.ts'
import type { ListSpec } from '../list.ts'
import { EXPORT_TYPES } from './export-stream.ts'
import { EXPORT_FORMATS, type ExportFormat, type ExportShape } from './export-writer.ts'
import type { ListQuery } from './list-query.ts'
import { invalidParameter } from './query-string.ts'
import { requireScope } from './visibility.ts'

/** Media types in which a list is answered as a whole. */
export const WHOLE_LIST_TYPES: readonly string[] = EXPORT_FORMATS.map((format) => EXPORT_TYPES[format])

/** The format of an export, or undefined for a page. */
export function formatOf(mediaType: string): ExportFormat | undefined {
  return EXPORT_FORMATS.find((format) => EXPORT_TYPES[format] === mediaType)
}

/**
 * What an export of a list writes for this caller.
 *
 * @throws AppError `forbidden` without the scopes, `invalid-parameter` for what belongs to pages only
 */
export function exportShape(
  { table, parts = {} }: ListSpec,
  { paging, fields, expand = [] }: ListQuery,
  format: ExportFormat,
  { principal }: Context,
): ExportShape {
  requireScope(principal, 'exports:read')
  if (paging !== undefined) {
    throw invalidParameter(
      paging,
      'not-allowed',
      'an export is the whole list: limit, cursor and count belong to pages',
    )
  }
  const embedded = expand.map((name) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part === undefined) {
      const known = Object.keys(parts).join(', ') || 'nothing'
      throw invalidParameter('expand', 'not-allowed', `in an export of this list can be embedded: ${known}`)
    }
    requireScope(principal, part.scope)
    return [name, part] as const
  })
  return { table, principal, format, fields, parts: embedded }
}

/** @throws AppError `invalid-parameter` for what only an export embeds */
export function requireEmbeddable(names: readonly string[], expansions: object): void {
  const unknown = names.find((name) => !Object.hasOwn(expansions, name))
  if (unknown === undefined) return
  throw invalidParameter(
    'expand',
    'not-allowed',
    `${unknown} is embedded in an export (${WHOLE_LIST_TYPES.join(', ')})`,
  )
}
