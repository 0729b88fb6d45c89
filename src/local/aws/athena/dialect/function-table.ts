/**
 * The functions the front end knows. One line a signature, in Trino's own words, then what DuckDB is told:
 *
 *     lower(varchar(x)) varchar(x) = lower($1)
 *
 * `@name` calls the function of that name in ../engine/functions with all arguments (NULL in, NULL out), `@?name` calls it
 * for NULLs too. `T`, `K`, `V`, `R`, `S` stand for types, `p`, `s`, `x` for numbers. A trailing `...` repeats the last one.
 * What is on no line is refused by name.
 */
import { coercible, coercionCost, commonType } from './coercion.ts'
import { type TrinoType, VARCHAR } from './trino-type.ts'

export interface TypePattern {
  readonly name: string
  readonly args: readonly TypePattern[]
}

export interface Signature {
  readonly name: string
  readonly parameters: readonly TypePattern[]
  readonly variadic: boolean
  readonly returns: TypePattern
  readonly body: string
}

const VARIABLE = /^[A-Z]$/

export function parsePattern(text: string): TypePattern {
  const zoned = /^timestamp\((\w+)\) with time zone$/.exec(text.trim())
  if (zoned !== null) return { name: 'timestamp(p) with time zone', args: [{ name: zoned[1]!, args: [] }] }
  const open = text.indexOf('(')
  if (open < 0 || text.startsWith('timestamp(p) with') || text.startsWith('interval'))
    return { name: text.trim(), args: [] }
  return {
    name: text.slice(0, open).trim(),
    args: splitTop(text.slice(open + 1, text.lastIndexOf(')'))).map(parsePattern),
  }
}

export function splitTop(text: string): string[] {
  const out: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '(') depth++
    else if (c === ')') depth--
    else if (i === text.length || (c === ',' && depth === 0)) {
      if (text.slice(start, i).trim() !== '') out.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  return out
}

export function parseSignature(line: string): Signature {
  const eq = line.indexOf(' = ')
  const head = line.slice(0, eq).trim()
  const open = head.indexOf('(')
  let depth = 0
  let close = open
  for (; close < head.length; close++) {
    if (head[close] === '(') depth++
    else if (head[close] === ')' && --depth === 0) break
  }
  const variadic = head.slice(open, close).endsWith('...')
  const inside = head.slice(open + 1, variadic ? close - 3 : close)
  return {
    name: head.slice(0, open),
    parameters: splitTop(inside).map(parsePattern),
    variadic,
    returns: parsePattern(head.slice(close + 1).trim()),
    body: line.slice(eq + 3).trim(),
  }
}

export function parseTable(text: string): Map<string, Signature[]> {
  const out = new Map<string, Signature[]>()
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trimStart().startsWith('--')) continue
    const s = parseSignature(line.trim())
    out.set(s.name, [...(out.get(s.name) ?? []), s])
  }
  return out
}

export interface Binding {
  readonly types: Map<string, TrinoType>
  readonly numbers: Map<string, number | undefined>
}

/** Several arguments of one precision all take the largest. */
const widen = (b: Binding, name: string, p: number) => b.numbers.set(name, Math.max(p, b.numbers.get(name) ?? 0))

/** Widens the variables so that `type` fits; false when it cannot. */
export function bind(pattern: TypePattern, type: TrinoType, b: Binding): boolean {
  if (VARIABLE.test(pattern.name)) {
    const known = b.types.get(pattern.name)
    const common = known === undefined ? type : commonType(known, type)
    if (common === undefined) return false
    b.types.set(pattern.name, common)
    return true
  }
  if (type.name === 'unknown') return true
  if (pattern.name === 'function') return type.name === 'function'
  if (pattern.name === 'decimal' && pattern.args.length > 0) {
    const d = type.name === 'decimal' ? type : undefined
    const asNumber =
      d ??
      (coercible(type, { name: 'decimal', p: 38, s: 0 })
        ? ({ tinyint: 3, smallint: 5, integer: 10, bigint: 19 }[type.name] ?? undefined)
        : undefined)
    if (asNumber === undefined) return false
    b.numbers.set(pattern.args[0]!.name, d?.p ?? (asNumber as number))
    b.numbers.set(pattern.args[1]!.name, d?.s ?? 0)
    return true
  }
  if (pattern.name === 'varchar') {
    if (type.name !== 'varchar') return false
    if (pattern.args.length > 0) b.numbers.set(pattern.args[0]!.name, type.p)
    return true
  }
  if (pattern.name === 'char') {
    if (type.name !== 'char') return false
    b.numbers.set(pattern.args[0]!.name, type.p)
    return true
  }
  if (pattern.name === 'timestamp(p) with time zone') {
    if (!['timestamp with time zone', 'timestamp', 'date'].includes(type.name)) return false
    widen(b, 'p', type.p ?? 0)
    return true
  }
  if ((pattern.name === 'timestamp' || pattern.name === 'time') && pattern.args.length > 0) {
    if (type.name !== pattern.name && !(pattern.name === 'timestamp' && type.name === 'date')) return false
    widen(b, pattern.args[0]!.name, type.p ?? 0)
    return true
  }
  if (pattern.args.length > 0) {
    if (type.name !== pattern.name || type.args?.length !== pattern.args.length) return false
    return pattern.args.every((a, i) => bind(a, type.args![i]!, b))
  }
  return type.name === pattern.name || coercible(type, { name: pattern.name })
}

/** The type a pattern stands for, once its variables are known. */
export function instantiate(pattern: TypePattern, b: Binding): TrinoType {
  if (VARIABLE.test(pattern.name)) return b.types.get(pattern.name) ?? { name: 'unknown' }
  const number = (i: number) => {
    const name = pattern.args[i]!.name
    if (name.endsWith('+1')) return Math.min(38, (b.numbers.get(name.slice(0, -2)) ?? 37) + 1)
    return /^\d+$/.test(name) ? Number(name) : b.numbers.get(name)
  }
  if (pattern.name === 'timestamp(p) with time zone') return { name: 'timestamp with time zone', p: number(0) ?? 3 }
  if (pattern.args.length === 0) return { name: pattern.name }
  if (pattern.name === 'decimal') return { name: 'decimal', p: number(0) ?? 38, s: number(1) ?? 0 }
  if (pattern.name === 'varchar') {
    const p = number(0)
    return p === undefined ? VARCHAR : { name: 'varchar', p }
  }
  if (pattern.name === 'char') return { name: 'char', p: number(0)! }
  if (pattern.name === 'timestamp' || pattern.name === 'time') return { name: pattern.name, p: number(0) ?? 3 }
  if (pattern.name === 'row')
    return { name: 'row', args: pattern.args.map((a) => instantiate(a, b)), fields: pattern.args.map(() => undefined) }
  return { name: pattern.name, args: pattern.args.map((a) => instantiate(a, b)) }
}

export const signatureCost = (args: readonly TrinoType[], parameters: readonly TrinoType[]): number =>
  args.reduce(
    (sum, a, i) =>
      sum + (a.name === 'varchar' && parameters[i]!.name === 'varchar' ? 0 : coercionCost(a, parameters[i]!)),
    0,
  )
