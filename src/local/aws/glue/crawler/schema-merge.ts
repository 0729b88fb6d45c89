import { type HiveField, type HiveType, printHiveType } from '../hive-types.ts'

/** Two files that do not agree about a column. */
export interface TypeConflict {
  /** Path of the field: `address.zip`, `tags[]`. */
  readonly field: string
  readonly types: readonly [string, string]
  readonly files: readonly [string, string]
}

const LADDERS: readonly (readonly HiveType['kind'][])[] = [
  ['tinyint', 'smallint', 'int', 'bigint'],
  ['float', 'double'],
]

/**
 * The columns of several files: their union in order of first sight. Integers and floats widen; every other conflict becomes string.
 * Structs are united field by field, lists and maps by their elements.
 */
export class SchemaUnion {
  readonly #columns = new Map<string, { type: HiveType; readonly file: string }>()
  readonly #conflicts = new Map<string, TypeConflict>()

  add(columns: readonly HiveField[], file: string): void {
    for (const column of columns) {
      const known = this.#columns.get(column.name)
      if (!known) {
        this.#columns.set(column.name, { type: column.type, file })
        continue
      }
      known.type = merge(known.type, column.type, column.name, (field, left, right) => {
        if (this.#conflicts.has(field)) return
        const types = [printHiveType(left), printHiveType(right)] as const
        this.#conflicts.set(field, { field, types, files: [known.file, file] })
      })
    }
  }

  get columns(): HiveField[] {
    return [...this.#columns].map(([name, { type }]) => ({ name, type }))
  }

  /** The first one of each field. */
  get conflicts(): TypeConflict[] {
    return [...this.#conflicts.values()]
  }
}

type OnConflict = (field: string, left: HiveType, right: HiveType) => void

function merge(left: HiveType, right: HiveType, field: string, conflict: OnConflict): HiveType {
  if (printHiveType(left) === printHiveType(right)) return left
  for (const ladder of LADDERS) {
    const [low, high] = [ladder.indexOf(left.kind), ladder.indexOf(right.kind)]
    if (low >= 0 && high >= 0) return low > high ? left : right
  }
  if (left.kind === 'array' && right.kind === 'array') {
    return { kind: 'array', element: merge(left.element, right.element, `${field}[]`, conflict) }
  }
  if (left.kind === 'map' && right.kind === 'map') {
    const key = merge(left.key, right.key, `${field}{key}`, conflict)
    return { kind: 'map', key, value: merge(left.value, right.value, `${field}{}`, conflict) }
  }
  if (left.kind === 'struct' && right.kind === 'struct') return mergeStructs(left.fields, right.fields, field, conflict)
  conflict(field, left, right)
  return { kind: 'string' }
}

function mergeStructs(
  left: readonly HiveField[],
  right: readonly HiveField[],
  field: string,
  conflict: OnConflict,
): HiveType {
  const fields = new Map(left.map(({ name, type }) => [name, type]))
  for (const { name, type } of right) {
    const known = fields.get(name)
    fields.set(name, known ? merge(known, type, `${field}.${name}`, conflict) : type)
  }
  return { kind: 'struct', fields: [...fields].map(([name, type]) => ({ name, type })) }
}
