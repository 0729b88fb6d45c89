/** Compares an answer with one recorded from a real Trino. The rules are those written beside the recorded answers. */

export interface Case {
  readonly id: string
  readonly category: string
  readonly sql: string
  readonly ordered?: boolean
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly rows?: readonly (readonly (string | null)[])[]
  readonly error?: string
  readonly approx?: number
}

export type Answer =
  | { readonly error: string; readonly message: string }
  | { readonly names: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }
export type Verdict = 'right' | 'refused' | 'code' | 'WRONG' | 'LENIENT'

/** Codes that must come back as they are; for the rarer ones any failure will do. */
const CODES = new Set([
  'SYNTAX_ERROR',
  'TABLE_NOT_FOUND',
  'COLUMN_NOT_FOUND',
  'SCHEMA_NOT_FOUND',
  'FUNCTION_NOT_FOUND',
  'TYPE_MISMATCH',
  'INVALID_CAST_ARGUMENT',
  'INVALID_FUNCTION_ARGUMENT',
  'DIVISION_BY_ZERO',
  'NUMERIC_VALUE_OUT_OF_RANGE',
  'NOT_SUPPORTED',
])
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const toNumber = (s: string) =>
  ({ Infinity: Number.POSITIVE_INFINITY, '-Infinity': Number.NEGATIVE_INFINITY, NaN: Number.NaN })[s] ??
  (/^-?[\d.]+(?:[eE][+-]?\d+)?$/.test(s) ? Number(s) : undefined)

function javaForm(s: string): boolean {
  if (['NaN', 'Infinity', '-Infinity'].includes(s)) return true
  const x = toNumber(s)
  const m = /^-?(\d+)\.(\d+)(?:E(-?\d+))?$/.exec(s)
  if (x === undefined || m === null) return false
  if (x === 0) return s === '0.0' || s === '-0.0'
  const plain = Math.abs(x) >= 1e-3 && Math.abs(x) < 1e7
  return m[3] === undefined ? plain : m[1]!.length === 1 && m[1] !== '0' && !plain
}

function close(a: string, b: string, tolerance: number): boolean {
  const [x, y] = [toNumber(a), toNumber(b)]
  if (x === undefined || y === undefined) return false
  return (
    x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y))
  )
}

/** The entries of every `{…}` in order, because a map has none. */
function sortMaps(s: string): string {
  let at = 0
  const parse = (end: string): string[] => {
    const parts: string[] = []
    let current = ''
    while (at < s.length) {
      const c = s[at]!
      if (c === '{' || c === '[') {
        at++
        const inner = parse(c === '{' ? '}' : ']')
        current += c + (c === '{' ? inner.sort() : inner).join(', ') + (s[at] ?? '')
        at++
      } else if (c === end) break
      else if (end !== '' && s.startsWith(', ', at)) {
        parts.push(current)
        current = ''
        at += 2
      } else {
        current += c
        at++
      }
    }
    return [...parts, current]
  }
  return parse('').join(', ')
}

/** Fractions of a second with at least three digits. */
const millis = (s: string) =>
  s.replace(/(\b\d\d:\d\d:\d\d)(\.\d{1,2})?(?![\d.])/g, (_, t: string, f?: string) => t + (f ?? '.').padEnd(4, '0'))

function sameCell(want: string | null, got: string | null, type: string, approx: number | undefined): boolean {
  if (want === got) return true
  if (want === null || got === null) return false
  let [a, b] = [want, got]
  if (type.includes('time') || type.includes('interval')) {
    ;[a, b] = [millis(a), millis(b)]
    if (a === b) return true
  }
  const nested = /^(array|map|row)\b/.test(type)
  if (type === 'double' || type === 'real') return javaForm(b) && close(a, b, approx ?? 0)
  if (type.includes('map(')) {
    ;[a, b] = [sortMaps(a), sortMaps(b)]
    if (a === b) return true
  }
  if (approx !== undefined && !nested) return close(a, b, approx)
  if (approx === undefined && !(nested && /double|real/.test(type))) return false
  const [x, y] = [a.match(NUMBER) ?? [], b.match(NUMBER) ?? []]
  return (
    a.replace(NUMBER, '#') === b.replace(NUMBER, '#') &&
    x.length === y.length &&
    x.every((v, i) => v === y[i] || close(v, y[i]!, approx ?? 0))
  )
}

function sorted(rows: readonly (readonly (string | null)[])[], types: readonly string[], approx: number | undefined) {
  const key = (row: readonly (string | null)[]) =>
    row
      .map((v, i) => {
        const t = types[i]!
        if (v === null) return '2'
        const n = approx !== undefined || t === 'double' || t === 'real' ? toNumber(v) : undefined
        if (n !== undefined) return `0${n.toExponential(4)}`
        return `1${t.includes('time') ? millis(v) : t.includes('map(') ? sortMaps(v) : v}`
      })
      .join('\u0000')
  return rows
    .map((r) => [key(r), r] as const)
    .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
    .map(([, r]) => r)
}

export function judge(c: Case, got: Answer): { verdict: Verdict; why: string } {
  if ('error' in got) {
    if (c.error === undefined) return { verdict: 'refused', why: `${got.error}: ${got.message}` }
    if (got.error === c.error || !CODES.has(c.error)) return { verdict: 'right', why: '' }
    return { verdict: 'code', why: `${got.error} instead of ${c.error}: ${got.message}` }
  }
  if (c.error !== undefined)
    return {
      verdict: 'LENIENT',
      why: `an answer where Trino fails with ${c.error}: ${JSON.stringify(got.rows.slice(0, 3))}`,
    }
  const types = c.columns!.map((x) => x.type)
  const wrong = (why: string) => ({ verdict: 'WRONG' as const, why })
  if (got.names.length !== types.length) return wrong(`${got.names.length} columns instead of ${types.length}`)
  if (got.rows.length !== c.rows!.length) return wrong(`${got.rows.length} rows instead of ${c.rows!.length}`)
  const want = c.ordered ? c.rows! : sorted(c.rows!, types, c.approx)
  const rows = c.ordered ? got.rows : sorted(got.rows, types, c.approx)
  for (const [i, row] of want.entries())
    for (const [j, cell] of row.entries())
      if (!sameCell(cell, rows[i]![j]!, types[j]!, c.approx))
        return wrong(`row ${i + 1}: ${JSON.stringify(rows[i]![j])} instead of ${JSON.stringify(cell)} (${types[j]})`)
  if (c.columns!.some((x, i) => x.name.toLowerCase() !== got.names[i]!.toLowerCase()))
    return wrong(`columns named ${got.names.join()} instead of ${c.columns!.map((x) => x.name).join()}`)
  return { verdict: 'right', why: '' }
}
