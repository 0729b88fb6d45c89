import type { z } from 'zod'
import type { Principal } from '../caller.ts'
import type { CursorCodec } from './cursor.ts'
import { invalidParameter, type QueryEntry, unknownParameter } from './query-string.ts'
import { check } from './validation.ts'

/** What reading a query may depend on besides its text. */
export interface QueryContext {
  readonly principal: Principal
  readonly cursors: CursorCodec
  /** The path as asked, without the query. */
  readonly path: string
}

/** One parameter in the API document; `schema` is JSON Schema. */
export interface ParameterDoc {
  readonly name: string
  readonly description: string
  readonly required?: boolean
  readonly schema: Readonly<Record<string, unknown>>
}

/** Reads the query of an operation and documents it: both from the same data. */
export interface QueryReader<T> {
  /** @throws AppError `unknown-parameter`, `invalid-parameter`, `invalid-cursor`, `forbidden` */
  read(entries: readonly QueryEntry[], context: QueryContext): T
  readonly parameters: readonly ParameterDoc[]
}

/** An operation without query: every parameter is an error. */
export const NO_QUERY: QueryReader<undefined> = {
  parameters: [],
  read(entries) {
    const first = entries[0]
    if (first) throw unknownParameter(first, [])
    return undefined
  },
}

/** A flat query of named parameters. The schemas get text; what is a number says so with its own pattern and transform. */
export function plainQuery<S extends z.ZodObject>(
  schema: S,
  parameters: readonly ParameterDoc[],
): QueryReader<z.output<S>> {
  const names = Object.keys(schema.shape)
  return {
    parameters,
    read(entries) {
      for (const entry of entries) if (!names.includes(entry.parameter)) throw unknownParameter(entry, names)
      const checked = check(schema, Object.fromEntries(entries.map((entry) => [entry.parameter, entry.value])))
      if (checked.ok) return checked.value
      const error = checked.errors[0]
      throw invalidParameter(
        error?.pointer?.slice(1) ?? '',
        error?.code ?? 'invalid',
        error?.detail ?? error?.code ?? '',
      )
    },
  }
}
