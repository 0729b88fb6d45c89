import { type TrinoType, typeText } from '../dialect/trino-type.ts'
import { type Json, JsonNumber, parseJson, parsePath, walk, writeJson } from './json-text.ts'
import { javaDouble, varcharText } from './text-forms.ts'
import { badArgument, badCast, FunctionFailure, type Implementation, type Value } from './values.ts'

const steps = (path: string) => {
  const s = parsePath(path)
  if (s === undefined) {
    if (/^\s*\$?[\s.[\]\w"'*?@()-]*$/.test(path) && /[*?@]|\.\./.test(path))
      throw new FunctionFailure('NOT_SUPPORTED', `JSON path ${path.slice(0, 80)} is not supported by the local engine`)
    throw badArgument(`Invalid JSON path: '${path.slice(0, 80)}'`)
  }
  return s
}

const extract = (text: Value, path: Value): Json | undefined => {
  const s = steps(path as string)
  const json = parseJson(text as string, true)
  return json === undefined ? undefined : walk(json, s)
}

/** A value of type JSON has its fractions written as doubles: 2.50 becomes 2.5. */
function plainNumbers(v: Json): Json {
  if (v instanceof JsonNumber) {
    if (!/[.eE]/.test(v.text)) return v.text === '-0' ? new JsonNumber('0') : v
    const text = javaDouble(Number(v.text))
    return text.endsWith('Infinity') ? text : new JsonNumber(text)
  }
  if (Array.isArray(v)) return v.map(plainNumbers)
  if (v instanceof Map) return new Map([...v].map(([k, x]) => [k, plainNumbers(x)]))
  return v
}

function scalarText(v: Json | undefined): string | null {
  if (v === undefined || v === null || Array.isArray(v) || v instanceof Map) return null
  return v instanceof JsonNumber ? v.text : String(v)
}

/** A lax path looks through arrays, which is not done here: refused where one is met. */
function member(v: Json | undefined, path: string): Json | undefined {
  let at = v
  for (const step of path.split('.').slice(1)) {
    if (Array.isArray(at))
      throw new FunctionFailure('NOT_SUPPORTED', 'a JSON path through an array is not supported by the local engine')
    at = at instanceof Map ? at.get(step) : undefined
  }
  return at
}

const asArray = (text: Value): Json[] | undefined => {
  const v = parseJson(text as string)
  return Array.isArray(v) ? v : undefined
}

export const JSONS: Readonly<Record<string, Implementation>> = {
  json_parse: ([text]) => {
    const v = parseJson(text as string)
    if (v === undefined) throw badArgument(`Cannot convert value to JSON: '${(text as string).slice(0, 60)}'`)
    return writeJson(plainNumbers(v), true)
  },
  json_extract: ([text, path]) => {
    const v = extract(text!, path!)
    return v === undefined ? null : writeJson(plainNumbers(v))
  },
  json_extract_scalar: ([text, path]) => scalarText(extract(text!, path!)),
  json_array_length: ([text]) => {
    const a = asArray(text!)
    return a === undefined ? null : BigInt(a.length)
  },
  json_array_get: ([text, index]) => {
    const a = asArray(text!)
    const i = Number(index)
    const v = a?.at(i)
    // a text comes back without its quotes, as Trino's documentation warns
    return v === undefined ? null : typeof v === 'string' ? v : writeJson(v)
  },
  json_array_contains: ([text, wanted]) => {
    const a = asArray(text!)
    if (a === undefined) return null
    return a.some((v) => {
      if (typeof wanted === 'boolean' || typeof wanted === 'string') return v === wanted
      if (!(v instanceof JsonNumber)) return false
      return typeof wanted === 'bigint'
        ? /^-?\d+$/.test(v.text) && BigInt(v.text) === wanted
        : /[.eE]/.test(v.text) && Number(v.text) === wanted
    })
  },
  json_size: ([text, path]) => {
    const v = extract(text!, path!)
    if (v === undefined) return null
    return BigInt(Array.isArray(v) ? v.length : v instanceof Map ? v.size : 0)
  },
  json_value: ([text, path]) => {
    const v = member(parseJson(text as string), path as string)
    if (v instanceof JsonNumber && /[.eE]/.test(v.text))
      throw new FunctionFailure('NOT_SUPPORTED', 'json_value of a fraction is not supported by the local engine')
    return scalarText(v)
  },
  json_exists: ([text, path]) => member(parseJson(text as string), path as string) !== undefined,
  is_json_scalar: ([text]) => {
    const v = parseJson(text as string)
    if (v === undefined) throw badArgument(`Invalid JSON value: ${(text as string).slice(0, 60)}`)
    return !(Array.isArray(v) || v instanceof Map)
  },
}

export function castToJson(v: Value, from: TrinoType): string {
  return writeJson(toJson(v, from))
}

function toJson(v: Value, from: TrinoType): Json {
  if (v === null) return null
  switch (from.name) {
    case 'boolean':
      return v as boolean
    case 'double':
    case 'real':
      return Number.isFinite(v) ? new JsonNumber(javaDouble(v as number, from.name === 'real')) : String(v)
    case 'json':
      return parseJson(v as string) ?? null
    case 'array':
      return (v as Value[]).map((x) => toJson(x, from.args![0]!))
    case 'map': {
      const pairs = (v as Value[][]).map(
        ([k, x]) => [varcharText(k!, from.args![0]!), toJson(x!, from.args![1]!)] as [string, Json],
      )
      return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    case 'row':
      return new Map((v as Value[]).map((x, i) => [from.fields?.[i] ?? '', toJson(x, from.args![i]!)]))
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'decimal':
      return new JsonNumber(varcharText(v, from))
    default:
      return varcharText(v, from)
  }
}

/** CAST of a scalar, handed in by its module. */
type Cast = (v: Value, from: TrinoType, to: TrinoType) => Value

export function castFromJson(text: string, to: TrinoType, castValue: Cast): Value {
  const v = parseJson(text)
  if (v === undefined) throw badCast(`Cannot cast to ${typeText(to)}: malformed JSON`)
  return fromJson(v, to, castValue)
}

function fromJson(v: Json, to: TrinoType, castValue: Cast): Value {
  const bad = () => badCast(`Cannot cast to ${typeText(to)}. ${writeJson(v).slice(0, 60)}`)
  if (to.name === 'json') return writeJson(v)
  if (v === null) return null
  switch (to.name) {
    case 'array':
      if (!Array.isArray(v)) throw bad()
      return v.map((x) => fromJson(x, to.args![0]!, castValue))
    case 'map':
      if (!(v instanceof Map)) throw bad()
      return [...v].map(([k, x]) => [
        castValue(k, { name: 'varchar' }, to.args![0]!),
        fromJson(x, to.args![1]!, castValue),
      ])
    case 'row':
      if (Array.isArray(v)) {
        if (v.length !== to.args!.length) throw bad()
        return v.map((x, i) => fromJson(x, to.args![i]!, castValue))
      }
      if (!(v instanceof Map)) throw bad()
      return to.args!.map((a, i) => {
        const wanted = to.fields?.[i]?.toLowerCase()
        const found = [...v].find(([k]) => k.toLowerCase() === wanted)
        return found === undefined ? null : fromJson(found[1], a, castValue)
      })
  }
  if (Array.isArray(v) || v instanceof Map) throw bad()
  try {
    if (v instanceof JsonNumber) {
      if (to.name === 'varchar') return /[.eE]/.test(v.text) ? varcharText(Number(v.text), { name: 'double' }) : v.text
      if (/[.eE]/.test(v.text)) return castValue(Number(v.text), { name: 'double' }, to)
      return castValue(BigInt(v.text), { name: 'bigint' }, to)
    }
    if (typeof v === 'boolean') return castValue(v, { name: 'boolean' }, to)
    return castValue(v, { name: 'varchar' }, to)
  } catch (error) {
    if (error instanceof FunctionFailure) throw bad()
    throw error
  }
}
