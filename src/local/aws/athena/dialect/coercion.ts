/** Which types Trino converts by itself, and into what: io.trino.type.TypeCoercion. */
import {
  array,
  decimal,
  INTEGERS,
  isFloating,
  isInteger,
  isText,
  map,
  row,
  sameType,
  type TrinoType,
  VARCHAR,
} from './trino-type.ts'

const DIGITS: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }
const RANK = [...INTEGERS, 'decimal', 'real', 'double']

/** An integer type as the decimal that holds all its values. */
export const asDecimal = (t: TrinoType): TrinoType => (t.name === 'decimal' ? t : decimal(DIGITS[t.name]!, 0))

/** The type both convert to, or undefined. */
export function commonType(a: TrinoType, b: TrinoType): TrinoType | undefined {
  if (a.name === 'unknown') return b
  if (b.name === 'unknown') return a
  if (sameType(a, b))
    return a.name === 'row'
      ? row(
          a.args!,
          a.fields!.map((f, i) => (f === b.fields?.[i] ? f : undefined)),
        )
      : a
  if (isInteger(a) && isInteger(b)) return INTEGERS.indexOf(a.name) > INTEGERS.indexOf(b.name) ? a : b
  if (RANK.includes(a.name) && RANK.includes(b.name)) {
    if (isFloating(a) || isFloating(b))
      return a.name === 'double' || b.name === 'double' ? { name: 'double' } : { name: 'real' }
    const [x, y] = [asDecimal(a), asDecimal(b)]
    const s = Math.max(x.s!, y.s!)
    return decimal(Math.min(38, Math.max(x.p! - x.s!, y.p! - y.s!) + s), s)
  }
  if (a.name === 'varchar' && b.name === 'varchar')
    return a.p === undefined || b.p === undefined ? VARCHAR : { name: 'varchar', p: Math.max(a.p, b.p) }
  if (isText(a) && isText(b))
    return a.name === 'char' && b.name === 'char' ? { name: 'char', p: Math.max(a.p!, b.p!) } : undefined
  const temporal = commonTemporal(a, b)
  if (temporal !== undefined) return temporal
  if (a.name !== b.name || a.args === undefined || a.args.length !== b.args?.length) return undefined
  const args: TrinoType[] = []
  for (const [i, x] of a.args.entries()) {
    const c = commonType(x, b.args[i]!)
    if (c === undefined) return undefined
    args.push(c)
  }
  if (a.name === 'array') return array(args[0]!)
  if (a.name === 'map') return map(args[0]!, args[1]!)
  return row(
    args,
    a.fields!.map((f, i) => (f === b.fields?.[i] ? f : undefined)),
  )
}

const TEMPORAL = ['date', 'timestamp', 'timestamp with time zone']

function commonTemporal(a: TrinoType, b: TrinoType): TrinoType | undefined {
  if (a.name === 'time' && b.name === 'time') return { name: 'time', p: Math.max(a.p!, b.p!) }
  const [x, y] = [TEMPORAL.indexOf(a.name), TEMPORAL.indexOf(b.name)]
  if (x < 0 || y < 0) return undefined
  return { name: TEMPORAL[Math.max(x, y)]!, p: Math.max(a.p ?? 0, b.p ?? 0) }
}

/** Does Trino convert `from` to `to` by itself? `to` may be a varchar of any length. */
export function coercible(from: TrinoType, to: TrinoType): boolean {
  const c = commonType(from, to)
  return c !== undefined && sameType(c, to)
}

/** How far a conversion goes, for the choice between overloads; 0 = none. */
export function coercionCost(from: TrinoType, to: TrinoType): number {
  if (sameType(from, to)) return 0
  if (from.name === 'unknown') return 1
  const [x, y] = [RANK.indexOf(from.name), RANK.indexOf(to.name)]
  if (x >= 0 && y >= 0) return x === y ? 1 : 2 * (y - x)
  const [u, v] = [TEMPORAL.indexOf(from.name), TEMPORAL.indexOf(to.name)]
  if (u >= 0 && v >= 0) return u === v ? 1 : 2 * (v - u)
  return 1
}
