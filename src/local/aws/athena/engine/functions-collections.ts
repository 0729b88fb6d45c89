import type { TrinoType } from '../dialect/trino-type.ts'
import { resultText, varcharText } from './text-forms.ts'
import { badArgument, FunctionFailure, type Implementation, type Instant, type Value } from './values.ts'

const MAX_ITEMS = 1_000_000

/** Equal values have equal keys. */
export function keyOf(v: Value, t: TrinoType): string {
  if (v === null) return 'null'
  if (t.name === 'array') return `[${(v as Value[]).map((x) => keyOf(x, t.args![0]!)).join()}]`
  if (t.name === 'row') return `(${(v as Value[]).map((x, i) => keyOf(x, t.args![i]!)).join()})`
  if (t.name === 'map')
    return `{${(v as Value[][])
      .map(([k, x]) => `${keyOf(k!, t.args![0]!)}:${keyOf(x!, t.args![1]!)}`)
      .sort()
      .join()}}`
  if (t.name === 'timestamp with time zone') return String((v as Instant).t)
  if (t.name === 'varbinary') return Buffer.from(v as Uint8Array).toString('hex')
  if (typeof v === 'string') return JSON.stringify(v)
  return Object.is(v, -0) ? '0' : String(v)
}

/** Undefined when a NULL inside leaves it open. */
function equal(a: Value, b: Value, t: TrinoType): boolean | undefined {
  if (a === null || b === null) return undefined
  const parts = (x: readonly Value[], y: readonly Value[], typeAt: (i: number) => TrinoType) => {
    if (x.length !== y.length) return false
    let open = false
    for (let i = 0; i < x.length; i++) {
      const e = equal(x[i]!, y[i]!, typeAt(i))
      if (e === false) return false
      if (e === undefined) open = true
    }
    return open ? undefined : true
  }
  if (t.name === 'array') return parts(a as Value[], b as Value[], () => t.args![0]!)
  if (t.name === 'row') return parts(a as Value[], b as Value[], (i) => t.args![i]!)
  if (t.name === 'map') {
    const [x, y] = [a as Value[][], b as Value[][]]
    if (x.length !== y.length) return false
    let open = false
    for (const [k, v] of x) {
      const other = y.find(([k2]) => keyOf(k2!, t.args![0]!) === keyOf(k!, t.args![0]!))
      if (other === undefined) return false
      const e = equal(v!, other[1]!, t.args![1]!)
      if (e === false) return false
      if (e === undefined) open = true
    }
    return open ? undefined : true
  }
  if (typeof a === 'number' && (Number.isNaN(a) || Number.isNaN(b))) return false
  return keyOf(a, t) === keyOf(b, t)
}

const bytesOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))

/** Order of two values that are not NULL; throws where a NULL inside leaves it open. */
export function order(a: Value, b: Value, t: TrinoType): number {
  if (a === null || b === null)
    throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'comparison not supported for values with null elements')
  if (t.name === 'array' || t.name === 'row') {
    const [x, y] = [a as Value[], b as Value[]]
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const o = order(x[i]!, y[i]!, t.args![t.name === 'array' ? 0 : i]!)
      if (o !== 0) return o
    }
    return x.length - y.length
  }
  if (t.name === 'timestamp with time zone') return order((a as Instant).t, (b as Instant).t, { name: 'bigint' })
  if (typeof a === 'string') return bytesOrder(a, b as string)
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (typeof a === 'number' && (Number.isNaN(a) || Number.isNaN(b)))
    return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0)
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

const item = (t: TrinoType) => t.args![0]!

function distinct(list: readonly Value[], t: TrinoType): Value[] {
  const seen = new Set<string>()
  return list.filter((v) => {
    const k = keyOf(v, t)
    if (seen.has(k)) return false
    seen.add(k)
    return true
  })
}

function mapOf(pairs: readonly (readonly [Value, Value])[], keyType: TrinoType): Value {
  const seen = new Set<string>()
  for (const [k] of pairs) {
    if (k === null) throw badArgument('map key cannot be null')
    const key = keyOf(k, keyType)
    if (seen.has(key)) throw badArgument(`Duplicate map keys (${resultText(k, keyType)}) are not allowed`)
    seen.add(key)
  }
  return pairs.map(([k, v]) => [k, v])
}

function multimap(pairs: readonly (readonly [Value, Value])[], keyType: TrinoType): Value {
  const out = new Map<string, [Value, Value[]]>()
  for (const [k, v] of pairs) {
    if (k === null) throw badArgument('map key cannot be null')
    const key = keyOf(k, keyType)
    const known = out.get(key)
    if (known === undefined) out.set(key, [k, [v]])
    else known[1].push(v)
  }
  return [...out.values()]
}

function at(list: readonly Value[], index: bigint): Value | undefined {
  if (index === 0n) throw badArgument('SQL array indices start at 1')
  const i = index > 0n ? Number(index) - 1 : list.length + Number(index)
  return i >= 0 && i < list.length ? list[i]! : undefined
}

const find = (pairs: Value, key: Value, t: TrinoType) =>
  (pairs as Value[][]).find(([k]) => keyOf(k!, t) === keyOf(key, t))

const comparison = (name: string, test: (o: number) => boolean): Record<string, Implementation> => ({
  [name]: ([a, b], { parameters: [t] }) => (a === null || b === null ? null : test(order(a!, b!, t!))),
})

const quantified =
  (wanted: boolean, negate: boolean): Implementation =>
  ([list]) => {
    const all = list as (boolean | null)[]
    if (all.includes(wanted)) return wanted !== negate
    return all.includes(null) ? null : wanted === negate
  }

export const COLLECTIONS: Readonly<Record<string, Implementation>> = {
  compare_eq: ([a, b], { parameters: [t] }) => equal(a!, b!, t!) ?? null,
  compare_ne: ([a, b], { parameters: [t] }) => {
    const e = equal(a!, b!, t!)
    return e === undefined ? null : !e
  },
  ...comparison('compare_lt', (o) => o < 0),
  ...comparison('compare_le', (o) => o <= 0),
  ...comparison('compare_gt', (o) => o > 0),
  ...comparison('compare_ge', (o) => o >= 0),
  array_subscript: ([list, i]) => {
    const index = i as bigint
    if (index < 0n) throw badArgument(`Array subscript is negative: ${index}`)
    const v = at(list as Value[], index)
    if (v === undefined)
      throw badArgument(
        `Array subscript must be less than or equal to array length: ${index} > ${(list as Value[]).length}`,
      )
    return v
  },
  map_subscript: ([map, key], { parameters: [, t] }) => {
    const found = find(map!, key!, t!)
    if (found === undefined) throw badArgument(`Key not present in map: ${resultText(key!, t!)}`)
    return found[1]!
  },
  element_at: ([list, i]) => at(list as Value[], i as bigint) ?? null,
  map_element_at: ([map, key], { parameters: [, t] }) => find(map!, key!, t!)?.[1] ?? null,
  contains: ([list, v], { parameters: [, t] }) => {
    let open = false
    for (const x of list as Value[]) {
      const e = equal(x, v!, t!)
      if (e === true) return true
      if (e === undefined) open = true
    }
    return open ? null : false
  },
  array_distinct: ([list], { returns }) => distinct(list as Value[], item(returns)),
  array_sort: ([list], { returns }) => {
    const values = (list as Value[]).filter((v) => v !== null)
    return [
      ...values.sort((a, b) => order(a, b, item(returns))),
      ...new Array<null>((list as Value[]).length - values.length).fill(null),
    ]
  },
  array_max: ([list], { returns }) => best(list as Value[], returns, 1),
  array_min: ([list], { returns }) => best(list as Value[], returns, -1),
  array_position: ([list, v], { parameters: [, t] }) =>
    BigInt((list as Value[]).findIndex((x) => equal(x, v!, t!) === true) + 1),
  array_remove: ([list, v], { parameters: [, t] }) => (list as Value[]).filter((x) => equal(x, v!, t!) !== true),
  array_union: ([a, b], { returns }) => distinct([...(a as Value[]), ...(b as Value[])], item(returns)),
  array_intersect: ([a, b], { returns }) => {
    const keys = new Set((b as Value[]).map((v) => keyOf(v, item(returns))))
    return distinct(a as Value[], item(returns)).filter((v) => keys.has(keyOf(v, item(returns))))
  },
  array_except: ([a, b], { returns }) => {
    const keys = new Set((b as Value[]).map((v) => keyOf(v, item(returns))))
    return distinct(a as Value[], item(returns)).filter((v) => !keys.has(keyOf(v, item(returns))))
  },
  arrays_overlap: ([a, b], { parameters: [t] }) => {
    const keys = new Set((b as Value[]).filter((v) => v !== null).map((v) => keyOf(v, item(t!))))
    if ((a as Value[]).some((v) => v !== null && keys.has(keyOf(v, item(t!))))) return true
    if ((a as Value[]).length === 0 || (b as Value[]).length === 0) return false
    return (a as Value[]).includes(null) || (b as Value[]).includes(null) ? null : false
  },
  array_join: ([list, separator, nulls], { parameters: [t] }) => {
    const text = (v: Value) => {
      if (v === null) return nulls ?? null
      if (item(t!).args !== undefined) throw new FunctionFailure('NOT_SUPPORTED', 'array_join of nested values')
      return varcharText(v, item(t!))
    }
    return (list as Value[])
      .map(text)
      .filter((x) => x !== null)
      .join(separator as string)
  },
  array_histogram: ([list], { parameters: [t] }) => histogram(list as Value[], item(t!)),
  histogram: ([list], { parameters: [t] }) => histogram(list as Value[], item(t!)),
  map_agg: ([keys, values], { parameters: [t] }) => {
    const out = new Map<string, [Value, Value]>()
    ;(keys as Value[]).forEach((k, i) => {
      const key = keyOf(k, item(t!))
      if (!out.has(key)) out.set(key, [k, (values as Value[])[i]!])
    })
    return out.size === 0 ? null : [...out.values()]
  },
  multimap_agg: ([keys, values], { parameters: [t] }) =>
    multimap(
      (keys as Value[]).map((k, i) => [k, (values as Value[])[i]!]),
      item(t!),
    ),
  contains_sequence: ([list, part], { parameters: [t] }) => {
    const [x, y] = [list as Value[], part as Value[]].map((l) => l.map((v) => keyOf(v, item(t!)))) as [
      string[],
      string[],
    ]
    return x.some((_, i) => y.every((k, j) => x[i + j] === k)) || y.length === 0
  },
  flatten: ([lists]) => (lists as (Value[] | null)[]).flatMap((l) => l ?? []),
  slice: ([list, start, length]) => {
    const l = list as Value[]
    const [s, n] = [Number(start), Number(length)]
    if (s === 0) throw badArgument('SQL array indices start at 1')
    if (n < 0) throw badArgument('length must be greater than or equal to 0')
    const from = s > 0 ? s - 1 : l.length + s
    return from < 0 || from >= l.length ? [] : l.slice(from, from + n)
  },
  trim_array: ([list, n]) => {
    const l = list as Value[]
    if ((n as bigint) < 0n) throw badArgument('size must not be negative')
    if ((n as bigint) > BigInt(l.length)) throw badArgument(`size must not exceed array cardinality ${l.length}`)
    return l.slice(0, l.length - Number(n))
  },
  repeat: ([v, n]) => {
    if (n === null) return null
    if ((n as bigint) > 10_000n)
      throw badArgument('count argument of repeat function must be less than or equal to 10000')
    return new Array<Value>(Math.max(0, Number(n))).fill(v!)
  },
  ngrams: ([list, n]) => {
    const l = list as Value[]
    if ((n as bigint) <= 0n) throw badArgument('N must be positive')
    const size = Number(n)
    return size > l.length ? [l] : Array.from({ length: l.length - size + 1 }, (_, i) => l.slice(i, i + size))
  },
  combinations: ([list, n]) => {
    const l = list as Value[]
    const size = Number(n)
    if (size < 0) throw badArgument('combination size must not be negative')
    if (size > 5) throw badArgument('combination size must not exceed 5')
    const out: Value[][] = []
    const pick = (from: number, chosen: number[]): void => {
      if (out.length > 100_000) throw badArgument('combinations exceed max size')
      if (chosen.length === size) {
        out.push(chosen.map((i) => l[i]!))
        return
      }
      for (let i = from; i < l.length; i++) pick(i + 1, [...chosen, i])
    }
    pick(0, [])
    return out
  },
  zip: (lists) => {
    const length = Math.max(...lists.map((l) => (l as Value[]).length))
    return Array.from({ length }, (_, i) => lists.map((l) => (l as Value[])[i] ?? null))
  },
  any_of: quantified(true, false),
  all_of: quantified(false, false),
  none_of: quantified(true, true),
  map_of: ([keys, values], { parameters: [t] }) => {
    const [k, v] = [keys as Value[], values as Value[]]
    if (k.length !== v.length) throw badArgument('Key and value arrays must be the same length')
    return mapOf(
      k.map((x, i) => [x, v[i]!]),
      item(t!),
    )
  },
  map_entries: ([map]) => map!,
  map_from_entries: ([entries], { returns }) => {
    if ((entries as Value[]).includes(null)) throw badArgument('map entry cannot be null')
    return mapOf(entries as unknown as [Value, Value][], returns.args![0]!)
  },
  multimap_from_entries: ([entries], { returns }) => {
    if ((entries as Value[]).includes(null)) throw badArgument('map entry cannot be null')
    return multimap(entries as unknown as [Value, Value][], returns.args![0]!)
  },
  map_concat: (maps, { returns }) => {
    const out = new Map<string, Value[]>()
    for (const m of maps) for (const pair of m as Value[][]) out.set(keyOf(pair[0]!, returns.args![0]!), pair)
    return [...out.values()]
  },
  sequence: ([a, b, by]) =>
    range(a as bigint, b as bigint, (by ?? ((a as bigint) <= (b as bigint) ? 1n : -1n)) as bigint),
}

export function range(from: bigint, to: bigint, by: bigint): bigint[] {
  if (by === 0n) throw badArgument('step must not be zero')
  if (from !== to && by > 0n !== to > from)
    throw badArgument(
      'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
    )
  if ((to - from) / by + 1n > 10_000n)
    throw badArgument('result of sequence function must not have more than 10000 entries')
  const out: bigint[] = []
  for (let x = from; by > 0n ? x <= to : x >= to; x += by) out.push(x)
  return out
}

function histogram(list: readonly Value[], t: TrinoType): Value {
  const out = new Map<string, [Value, bigint]>()
  for (const v of list) {
    if (v === null) continue
    const k = keyOf(v, t)
    const known = out.get(k)
    if (known === undefined) out.set(k, [v, 1n])
    else known[1]++
  }
  return [...out.values()]
}

function best(list: readonly Value[], t: TrinoType, sign: number): Value {
  if (list.length === 0 || list.includes(null)) return null
  if (list.length > MAX_ITEMS) throw badArgument('the array is too long')
  if (sign < 0 && list.some((v) => Number.isNaN(v))) throw new FunctionFailure('NOT_SUPPORTED', 'array_min over NaN')
  return list.reduce((a, b) => (Number.isNaN(a) ? a : Number.isNaN(b) ? b : sign * order(b, a, t) > 0 ? b : a))
}
