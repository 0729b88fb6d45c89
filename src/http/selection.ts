import type { Scope } from '../caller.ts'
import { AppError } from '../errors.ts'
import type { TableName } from '../lake/datasets.ts'
import type { ListSpec } from '../list.ts'
import type { Expansions } from './expansion.ts'
import type { ParameterDoc, QueryContext } from './query.ts'
import { invalidParameter } from './query-string.ts'
import { holds, keyFields, requireReadable, visibleFieldNames } from './visibility.ts'

export const MAX_EXPANSIONS = 3

/** What of a row an answer shows. */
export interface Selection {
  /** Undefined: every field that the caller may see. */
  readonly fields: ReadonlySet<string> | undefined
  /** Names of the expansions to embed. */
  readonly expand: readonly string[]
}

/**
 * Reads `fields`: names separated by commas. The key is always among them.
 *
 * @throws AppError `invalid-parameter` that tells what is allowed, `forbidden` for a personal field without its scope
 */
export function readFields(
  table: TableName,
  text: string | undefined,
  { principal }: QueryContext,
): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined
  const names = listOf('fields', text)
  const allowed = visibleFieldNames(table)
  for (const name of names) {
    if (!allowed.includes(name)) throw invalidParameter('fields', 'not-allowed', `fields: ${allowed.join(', ')}`)
    requireReadable(table, name, principal, 'fields')
  }
  return new Set([...keyFields(table), ...names])
}

/**
 * Reads `expand`: names separated by commas.
 *
 * @throws AppError `invalid-parameter`, `forbidden` without the scope to read what would be embedded
 */
export function readExpand<Row>(
  expansions: Expansions<Row>,
  text: string | undefined,
  { principal }: QueryContext,
  parts: NonNullable<ListSpec['parts']> = {},
): readonly string[] {
  if (text === undefined) return []
  const names = listOf('expand', text)
  const known: Readonly<Record<string, { readonly scope: Scope }>> = { ...parts, ...expansions }
  for (const name of names) {
    const expansion = Object.hasOwn(known, name) ? known[name] : undefined
    if (expansion === undefined) {
      throw invalidParameter('expand', 'not-allowed', `can be embedded: ${Object.keys(known).join(', ')}`)
    }
    if (holds(principal, expansion.scope)) continue
    throw new AppError('forbidden', `expand=${name} needs the scope ${expansion.scope}`, {
      extra: { scope: expansion.scope },
      errors: [{ parameter: 'expand', code: 'scope', detail: `${name} needs ${expansion.scope}` }],
    })
  }
  if (names.length > MAX_EXPANSIONS) throw invalidParameter('expand', 'too-many', `at most ${MAX_EXPANSIONS}`)
  return names
}

function listOf(parameter: string, text: string): string[] {
  const names = text.split(',')
  if (new Set(names).size === names.length) return names
  throw invalidParameter(parameter, 'repeated', 'a name stands in it twice')
}

/** The parameters in the API document; `expand` only where something can be embedded. */
export function selectionDocs<Row>(
  table: TableName,
  expansions: Expansions<Row>,
  parts: NonNullable<ListSpec['parts']> = {},
): ParameterDoc[] {
  const fields = visibleFieldNames(table).join(', ')
  const docs: ParameterDoc[] = [
    {
      name: 'fields',
      description: `Only these of ${fields}, separated by commas; ${keyFields(table).join(' and ')} always. A personal field needs its scope`,
      schema: { type: 'string', minLength: 1 },
    },
  ]
  const names = [
    ...Object.entries(expansions).map(([name, { description, scope }]) => `${name} (${description}; scope ${scope})`),
    ...Object.entries(parts).map(
      ([name, { scope }]) => `in an export ${name} (as an import takes them; scope ${scope})`,
    ),
  ]
  if (names.length > 0) {
    const list = names.join(', ')
    const most = Math.min(MAX_EXPANSIONS, names.length)
    docs.push({
      name: 'expand',
      description: `Embeds up to ${most}, separated by commas: ${list}`,
      schema: { type: 'string', minLength: 1 },
    })
  }
  return docs
}
