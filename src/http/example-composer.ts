/**
 * Examples out of JSON Schema: each field says its own (`.meta({ example })` in zod), and what is made of fields is composed. A
 * field without one takes that of a field of the same name elsewhere in the document, then one that its format or its values give.
 */

/** JSON Schema as it stands in the document; only the members that are read here. */
interface JsonSchema {
  readonly $ref?: string
  readonly example?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** Deeper than any schema here; stops one that contains itself. */
const MAX_DEPTH = 12

const BY_FORMAT: Readonly<Record<string, string>> = {
  uuid: '0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11',
  'date-time': '2026-03-05T09:30:00.000Z',
  date: '2026-03-05',
  uri: 'https://studio.example/',
}

export class ExampleComposer {
  readonly #schemas: Readonly<Record<string, JsonSchema>>
  /** By name of the field and its format. */
  readonly #known = new Map<string, unknown>()

  /** @param schemas the document's `components.schemas` */
  constructor(schemas: Readonly<Record<string, unknown>>) {
    this.#schemas = schemas as Readonly<Record<string, JsonSchema>>
    for (const schema of Object.values(this.#schemas)) this.#gather(schema, 0)
  }

  /** An instance of the schema; undefined when nothing says what it may look like. */
  compose(schema: unknown): unknown {
    return this.#value(schema as JsonSchema, undefined, 0)
  }

  /** One instance for each alternative of the schema: the kinds of lines that a stream may have. */
  alternatives(schema: unknown): unknown[] {
    const resolved = this.#resolve(schema as JsonSchema)
    if (resolved.example !== undefined) return [resolved.example]
    return (resolved.anyOf ?? resolved.oneOf ?? [resolved]).map((each) => this.compose(each))
  }

  #resolve(schema: JsonSchema): JsonSchema {
    const name = schema.$ref?.split('/').at(-1)
    return name === undefined ? schema : (this.#schemas[name] ?? {})
  }

  #gather(schema: JsonSchema, depth: number): void {
    if (depth > MAX_DEPTH || schema.$ref !== undefined) return
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      this.#learn(name, property)
      this.#gather(property, depth + 1)
    }
    for (const part of [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
      if (part !== undefined) this.#gather(part, depth + 1)
    }
  }

  #learn(name: string, property: JsonSchema): void {
    // What a field says itself, also inside of "this or null".
    const speaks = [property, ...(property.anyOf ?? [])].find(
      ({ example }) => example !== undefined && example !== null,
    )
    if (speaks === undefined) return
    const format = [property, ...(property.anyOf ?? [])].find((each) => each.format !== undefined)?.format
    for (const key of [name, `${name} ${format}`]) if (!this.#known.has(key)) this.#known.set(key, speaks.example)
  }

  #value(given: JsonSchema, name: string | undefined, depth: number): unknown {
    if (depth > MAX_DEPTH) return undefined
    const schema = this.#resolve(given)
    for (const each of [given, schema]) if (each.example !== undefined) return each.example
    if (schema.const !== undefined) return schema.const
    const type = typeof schema.type === 'string' ? schema.type : schema.type?.find((each) => each !== 'null')
    if (schema.enum === undefined) {
      const known = this.#known.get(schema.format === undefined ? `${name}` : `${name} ${schema.format}`)
      if (known !== undefined && type !== undefined && fits(known, type)) return known
    } else return schema.enum[0]
    const choices = schema.anyOf ?? schema.oneOf
    if (choices !== undefined) {
      const choice = choices.find((each) => each.type !== 'null')
      return choice === undefined ? null : this.#value(choice, name, depth + 1)
    }
    if (schema.allOf !== undefined) {
      return Object.assign({}, ...schema.allOf.map((each) => this.#value(each, name, depth + 1)))
    }
    return this.#ofType(schema, type, depth)
  }

  #ofType(schema: JsonSchema, type: string | undefined, depth: number): unknown {
    switch (type) {
      case 'object':
        return this.#object(schema, depth)
      case 'array': {
        const item = schema.items === undefined ? undefined : this.#value(schema.items, undefined, depth + 1)
        return item === undefined ? [] : [item]
      }
      case 'integer':
      case 'number':
        return Math.max(schema.minimum ?? 1, 1)
      case 'boolean':
        return true
      case 'null':
        return null
      case 'string':
        return BY_FORMAT[schema.format ?? '']
      default:
        return undefined
    }
  }

  #object({ properties = {} }: JsonSchema, depth: number): Record<string, unknown> {
    const values = Object.entries(properties).map(([name, property]) => [name, this.#value(property, name, depth + 1)])
    return Object.fromEntries(values.filter(([, value]) => value !== undefined))
  }
}

function fits(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer' || type === 'number') return typeof value === 'number'
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}
