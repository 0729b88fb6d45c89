/**
 * Hive type names, as they stand in `Column.Type` of the catalogue, as a typed tree.
 *
 *     parseHiveType('struct<id:bigint,tags:array<varchar(20)>>')   -> HiveType
 *     printHiveType(type)                                          -> the name in canonical form
 *     parseHiveType(x, { unknown: 'keep' })                        -> { kind: 'unknown', name } in place of an error
 *
 * The grammar is that of Hive's `TypeInfoUtils`: names in any case, spaces between tokens, struct fields as `name:type`, also
 * `name: type` and back-quoted names, `uniontype` not offered. `integer`, `numeric`, `dec`, `real` and `double precision` are
 * read as int, decimal and double. `decimal` alone is decimal(10,0), as in Hive.
 */

export type HivePrimitive =
  | 'boolean'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'string'
  | 'binary'

export interface HiveField {
  readonly name: string
  readonly type: HiveType
}

export type HiveType =
  | { readonly kind: HivePrimitive }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** `length` in characters: 1 to 65535, char 1 to 255. */
  | { readonly kind: 'varchar' | 'char'; readonly length: number }
  | { readonly kind: 'array'; readonly element: HiveType }
  | { readonly kind: 'map'; readonly key: HiveType; readonly value: HiveType }
  | { readonly kind: 'struct'; readonly fields: readonly HiveField[] }
  /** Only with `unknown: 'keep'`: a name this grammar does not know. */
  | { readonly kind: 'unknown'; readonly name: string }

/** The text is no Hive type; the message names it and the place. */
export class HiveTypeError extends Error {
  override readonly name = 'HiveTypeError'
}

const PRIMITIVES: Readonly<Record<string, HivePrimitive>> = {
  boolean: 'boolean',
  tinyint: 'tinyint',
  smallint: 'smallint',
  int: 'int',
  integer: 'int',
  bigint: 'bigint',
  long: 'bigint',
  float: 'float',
  real: 'float',
  double: 'double',
  date: 'date',
  timestamp: 'timestamp',
  string: 'string',
  binary: 'binary',
}

/** Deeper types than this are refused: no reader opens them, and recursion stays bounded. */
const MAX_DEPTH = 64
const MAX_PRECISION = 38

export interface ParseOptions {
  /** What an unknown name at the top does; default `fail`. */
  readonly unknown?: 'fail' | 'keep'
}

/** @throws HiveTypeError */
export function parseHiveType(text: string, options: ParseOptions = {}): HiveType {
  try {
    const reader = new TypeReader(text)
    const type = reader.type(0)
    reader.end()
    return type
  } catch (error) {
    if (options.unknown === 'keep' && error instanceof HiveTypeError) return { kind: 'unknown', name: text }
    throw error
  }
}

/** The canonical name: lower-case keywords, no spaces. Field names are printed as they are. */
export function printHiveType(type: HiveType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'varchar':
    case 'char':
      return `${type.kind}(${type.length})`
    case 'array':
      return `array<${printHiveType(type.element)}>`
    case 'map':
      return `map<${printHiveType(type.key)},${printHiveType(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${printFieldName(field.name)}:${printHiveType(field.type)}`).join(',')}>`
    case 'unknown':
      return type.name
    default:
      return type.kind
  }
}

const PLAIN_FIELD = /^[^\s:,<>()`]+$/
const printFieldName = (name: string): string => (PLAIN_FIELD.test(name) ? name : `\`${name.replaceAll('`', '``')}\``)

class TypeReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  type(depth: number): HiveType {
    if (depth > MAX_DEPTH) throw this.#error(`nested deeper than ${MAX_DEPTH} levels`)
    const word = this.#word().toLowerCase()
    switch (word) {
      case 'array':
        return this.#bracketed(() => ({ kind: 'array', element: this.type(depth + 1) }))
      case 'map':
        return this.#bracketed(() => {
          const key = this.type(depth + 1)
          this.#expect(',')
          return { kind: 'map', key, value: this.type(depth + 1) }
        })
      case 'struct':
      case 'row':
        return this.#bracketed(() => ({ kind: 'struct', fields: this.#fields(depth + 1) }))
      case 'decimal':
      case 'dec':
      case 'numeric':
        return this.#decimal()
      case 'varchar':
        return { kind: 'varchar', length: this.#length(65535) }
      case 'char':
        return { kind: 'char', length: this.#length(255) }
      default:
        return this.#primitive(word)
    }
  }

  end(): void {
    this.#spaces()
    if (this.#at < this.#text.length) throw this.#error('text after the type')
  }

  #primitive(word: string): HiveType {
    const kind = Object.hasOwn(PRIMITIVES, word) ? PRIMITIVES[word] : undefined
    if (!kind) throw this.#error(`unknown type "${word}"`)
    if (kind === 'double') this.#take(/\s+precision\b/iy)
    return { kind }
  }

  #fields(depth: number): HiveField[] {
    const fields: HiveField[] = []
    do {
      const name = this.#fieldName()
      this.#expect(':')
      fields.push({ name, type: this.type(depth) })
    } while (this.#accept(','))
    return fields
  }

  #fieldName(): string {
    this.#spaces()
    const quoted = this.#take(/`(?:[^`]|``)+`/y)
    if (quoted !== undefined) return quoted.slice(1, -1).replaceAll('``', '`')
    const plain = this.#take(/[^\s:,<>()`]+/y)
    if (plain === undefined) throw this.#error('a field name is missing')
    return plain
  }

  #decimal(): HiveType {
    if (!this.#accept('(')) return { kind: 'decimal', precision: 10, scale: 0 }
    const precision = this.#number()
    const scale = this.#accept(',') ? this.#number() : 0
    this.#expect(')')
    if (precision < 1 || precision > MAX_PRECISION || scale > precision) {
      throw this.#error(`decimal(${precision},${scale}) is not within decimal(1,0) to decimal(38,38)`)
    }
    return { kind: 'decimal', precision, scale }
  }

  #length(most: number): number {
    this.#expect('(')
    const length = this.#number()
    this.#expect(')')
    if (length < 1 || length > most) throw this.#error(`a length from 1 to ${most} is allowed`)
    return length
  }

  #bracketed(content: () => HiveType): HiveType {
    this.#expect('<')
    const type = content()
    this.#expect('>')
    return type
  }

  #word(): string {
    this.#spaces()
    const word = this.#take(/[a-z][a-z0-9_]*/iy)
    if (word === undefined) throw this.#error('a type name is missing')
    return word
  }

  #number(): number {
    this.#spaces()
    const digits = this.#take(/\d{1,6}/y)
    if (digits === undefined) throw this.#error('a number is missing')
    return Number(digits)
  }

  #spaces(): void {
    this.#take(/\s+/y)
  }

  #accept(sign: string): boolean {
    this.#spaces()
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) throw this.#error(`"${sign}" is missing`)
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #error(what: string): HiveTypeError {
    return new HiveTypeError(`"${this.#text}" is no Hive type: ${what} at character ${this.#at + 1}`)
  }
}
