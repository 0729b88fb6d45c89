import { ACCOUNT_ID } from '../account-id.ts'
import { AwsError, type JsonObject, type JsonOperation } from '../ports.ts'

export const invalidInput = (message: string): AwsError => new AwsError('InvalidInputException', message)
export const notFound = (message: string): AwsError => new AwsError('EntityNotFoundException', message)
export const alreadyExists = (message: string): AwsError => new AwsError('AlreadyExistsException', message)

/** Which members an operation's input may have. Every other one is refused by name, so nothing is silently ignored. */
export interface Fields {
  readonly required?: readonly string[]
  readonly optional?: readonly string[]
  /** Members that never change what the operation does, such as an audit remark. */
  readonly ignored?: readonly string[]
}

/** An operation that checks its input's members before it runs. An own `CatalogId` is always allowed. */
export function operation(fields: Fields, run: JsonOperation): JsonOperation {
  return (input, context) => {
    checkFields(input, fields)
    checkCatalogue(input.CatalogId)
    return run(input, context)
  }
}

/** `where` is put before the member's name in errors: `TableInput.`. */
export function checkFields(input: JsonObject, fields: Fields, where = ''): void {
  const required = fields.required ?? []
  for (const name of required) if (absent(input[name])) throw violation(where + name, 'null', 'Member must not be null')
  const known = new Set([...required, ...(fields.optional ?? []), ...(fields.ignored ?? []), 'CatalogId'])
  for (const [name, value] of Object.entries(input)) {
    if (!known.has(name) && !absent(value)) {
      throw invalidInput(`${where}${name} is not supported by the local endpoint`)
    }
  }
}

function checkCatalogue(id: unknown): void {
  if (absent(id) || id === ACCOUNT_ID) return
  throw invalidInput(
    `CatalogId ${String(id)} is not supported by the local endpoint; leave it out or give ${ACCOUNT_ID}`,
  )
}

export const absent = (value: unknown): value is undefined | null => value === undefined || value === null

/** AWS's sentence for a value outside its limits. `path` is the member's name; AWS prints it in camel case. */
export function violation(path: string, value: string, constraint: string): AwsError {
  const camel = path
    .split('.')
    .map((part) => part.charAt(0).toLowerCase() + part.slice(1))
    .join('.')
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value ${value === 'null' ? value : `'${value}'`} at '${camel}' failed to satisfy constraint: ${constraint}`,
  )
}

const wrongType = (path: string, wanted: string): AwsError =>
  new AwsError('SerializationException', `${path} must be ${wanted}`)

export function text(input: JsonObject, name: string, where = ''): string {
  const value = optionalText(input, name, where)
  if (value === undefined) throw violation(where + name, 'null', 'Member must not be null')
  return value
}

export function optionalText(input: JsonObject, name: string, where = ''): string | undefined {
  const value = input[name]
  if (absent(value)) return undefined
  if (typeof value !== 'string') throw wrongType(where + name, 'a string')
  return value
}

/** A database's, table's or crawler's name as given: 1 to 255 characters on one line. */
export function givenName(input: JsonObject, name: string, where = ''): string {
  const value = text(input, name, where)
  if (value.length === 0) throw violation(where + name, value, 'Member must have length greater than or equal to 1')
  if (value.length > 255) throw violation(where + name, value, 'Member must have length less than or equal to 255')
  if (!/^[\u0020-\uFFFD\t]*$/.test(value)) {
    throw violation(where + name, value, 'Member must satisfy regular expression pattern: single-line string')
  }
  return value
}

/** A catalogue name: as the catalogue stores it, in lower case. */
export const lowerName = (input: JsonObject, name: string, where = ''): string =>
  givenName(input, name, where).toLowerCase()

export function integer(input: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = input[name]
  if (absent(value)) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer')
  if (value < least) throw violation(name, String(value), `Member must have value greater than or equal to ${least}`)
  if (value > most) throw violation(name, String(value), `Member must have value less than or equal to ${most}`)
  return value
}

export function flag(input: JsonObject, name: string, where = ''): boolean {
  const value = input[name]
  if (absent(value)) return false
  if (typeof value !== 'boolean') throw wrongType(where + name, 'a boolean')
  return value
}

export function oneOf<T extends string>(input: JsonObject, name: string, allowed: readonly T[]): T | undefined {
  const value = optionalText(input, name)
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (!found) throw violation(name, value, `Member must satisfy enum value set: [${allowed.join(', ')}]`)
  return found
}

export function object(input: JsonObject, name: string, where = ''): JsonObject {
  const value = optionalObject(input, name, where)
  if (!value) throw violation(where + name, 'null', 'Member must not be null')
  return value
}

export function optionalObject(input: JsonObject, name: string, where = ''): JsonObject | undefined {
  const value = input[name]
  if (absent(value)) return undefined
  if (!isObject(value)) throw wrongType(where + name, 'an object')
  return value
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `most` is AWS's limit of entries in one call. */
export function list(input: JsonObject, name: string, most = Number.POSITIVE_INFINITY, where = ''): unknown[] {
  const value = input[name]
  if (absent(value)) throw violation(where + name, 'null', 'Member must not be null')
  if (!Array.isArray(value)) throw wrongType(where + name, 'a list')
  if (value.length > most) {
    throw violation(where + name, `[${value.length} entries]`, `Member must have length less than or equal to ${most}`)
  }
  return value
}

export function objects(input: JsonObject, name: string, most = Number.POSITIVE_INFINITY, where = ''): JsonObject[] {
  return list(input, name, most, where).map((value) => {
    if (!isObject(value)) throw wrongType(where + name, 'a list of objects')
    return value
  })
}

export function texts(input: JsonObject, name: string, most = Number.POSITIVE_INFINITY, where = ''): string[] {
  return list(input, name, most, where).map((value) => {
    if (typeof value !== 'string') throw wrongType(where + name, 'a list of strings')
    return value
  })
}

export function optionalTexts(input: JsonObject, name: string, where = ''): string[] | undefined {
  return absent(input[name]) ? undefined : texts(input, name, Number.POSITIVE_INFINITY, where)
}

export function textMap(input: JsonObject, name: string, where = ''): Record<string, string> | undefined {
  const value = optionalObject(input, name, where)
  if (!value) return undefined
  for (const entry of Object.values(value)) {
    if (typeof entry !== 'string') throw wrongType(where + name, 'a map of strings')
  }
  return value as Record<string, string>
}

/**
 * Members that are stored as they came must have their type: what is stored is answered, and a client that reads a list where
 * a text stands fails on every later call.
 *
 * @throws AwsError SerializationException
 */
export function checkTypes(
  input: JsonObject,
  types: {
    readonly texts?: readonly string[]
    readonly numbers?: readonly string[]
    readonly flags?: readonly string[]
  },
  where: string,
): void {
  for (const name of types.texts ?? []) optionalText(input, name, where)
  for (const name of types.flags ?? []) flag(input, name, where)
  for (const name of types.numbers ?? []) {
    if (!absent(input[name]) && typeof input[name] !== 'number') throw wrongType(where + name, 'a number')
  }
}

/** Epoch seconds, as times travel in AWS JSON. */
export const nowSeconds = (): number => Date.now() / 1000
