import { URLS } from './functions-urls.ts'
import { badArgument, FunctionFailure, type Implementation, type Value } from './values.ts'

/** What Trino's trim takes off: blanks of any kind but the ones that do not break. */
const BLANK = new Set(
  [
    [0x09, 0x0d],
    [0x1c, 0x20],
    [0x1680, 0x1680],
    [0x2000, 0x2006],
    [0x2008, 0x200a],
    [0x2028, 0x2029],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
  ].flatMap(([from, to]) => Array.from({ length: to! - from! + 1 }, (_, i) => String.fromCharCode(from! + i))),
)

function trimmed(text: string, characters: Value | undefined, left: boolean, right: boolean): string {
  const cs = [...text]
  const set = characters === undefined ? undefined : new Set(characters as string)
  const gone = (c: string) => (set === undefined ? BLANK.has(c) : set.has(c))
  let from = 0
  let to = cs.length
  if (left) while (from < to && gone(cs[from]!)) from++
  if (right) while (to > from && gone(cs[to - 1]!)) to--
  return cs.slice(from, to).join('')
}

/** One code point to one: no special casing, as Trino has it. */
const mapCase = (text: string, change: (c: string) => string) => {
  let out = ''
  for (const c of text) {
    const x = change(c)
    out += [...x].length === 1 ? x : simple(c, x)
  }
  return out
}
const simple = (c: string, changed: string) =>
  c === 'İ' ? 'i' : changed.length > 1 && c.toLowerCase() !== c ? [...changed][0]! : c

function substr(text: string, start: bigint, length: bigint | undefined): string {
  const cs = [...text]
  let from = Number(start)
  if (from === 0) return ''
  from = from > 0 ? from - 1 : cs.length + from
  if (from < 0 || from >= cs.length) return ''
  if (length === undefined) return cs.slice(from).join('')
  return length <= 0n ? '' : cs.slice(from, from + Number(length)).join('')
}

function pad(text: string, size: bigint, filler: string, left: boolean): string {
  if (size < 0n || size > 2147483647n) throw badArgument(`target length must be in the range [0..2147483647]`)
  if (filler === '') throw badArgument('Padding string must not be empty')
  const cs = [...text]
  const n = Number(size)
  if (n > 10_000_000) throw new FunctionFailure('EXHAUSTED_RESOURCES', 'the padded text is too long')
  if (cs.length >= n) return cs.slice(0, n).join('')
  const f = [...filler]
  const fill = Array.from({ length: n - cs.length }, (_, i) => f[i % f.length]!).join('')
  return left ? fill + text : text + fill
}

function position(text: string, wanted: string, instance: bigint): bigint {
  if (instance === 0n) throw badArgument("'instance' must be a positive or negative number.")
  if (wanted === '') return 1n
  let at = -1
  if (instance > 0n) {
    for (let i = 0n; i < instance; i++) {
      at = text.indexOf(wanted, at + 1)
      if (at < 0) return 0n
    }
  } else {
    at = text.length
    for (let i = 0n; i < -instance; i++) {
      if (at <= 0) return 0n
      at = text.lastIndexOf(wanted, at - 1)
      if (at < 0) return 0n
    }
  }
  return BigInt([...text.slice(0, at)].length + 1)
}

function split(text: string, delimiter: string, limit?: bigint): string[] {
  if (delimiter === '') throw badArgument('The delimiter may not be the empty string')
  if (limit !== undefined && limit <= 0n) throw badArgument('Limit must be positive')
  const parts = text.split(delimiter)
  if (limit === undefined || BigInt(parts.length) <= limit) return parts
  const n = Number(limit) - 1
  return [...parts.slice(0, n), parts.slice(n).join(delimiter)]
}

function pairsOf(text: string, entry: string, key: string): [string, string][] {
  if (entry === '') throw badArgument('entryDelimiter is empty')
  if (key === '') throw badArgument('keyValueDelimiter is empty')
  if (entry === key) throw badArgument('entryDelimiter and keyValueDelimiter must not be the same')
  if (text === '') return []
  const entries = text.split(entry)
  if (entries.at(-1) === '') entries.pop()
  return entries.map((e) => {
    const parts = e.split(key)
    if (parts.length !== 2)
      throw badArgument(`Key-value delimiter must appear exactly once in each entry. Bad input: '${text.slice(0, 60)}'`)
    return [parts[0]!, parts[1]!]
  })
}

function levenshtein(a: string, b: string): bigint {
  const [x, y] = [[...a], [...b]]
  if (x.length * y.length > 100_000_000) throw badArgument('The combined inputs for Levenshtein distance are too large')
  let row = Array.from({ length: y.length + 1 }, (_, i) => i)
  for (let i = 1; i <= x.length; i++) {
    const next = [i]
    for (let j = 1; j <= y.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (x[i - 1] === y[j - 1] ? 0 : 1)))
    row = next
  }
  return BigInt(row[y.length]!)
}

export function likeToRegExp(pattern: string, escapeBy: string | undefined): RegExp {
  if (escapeBy !== undefined && [...escapeBy].length !== 1)
    throw badArgument('Escape string must be a single character')
  let out = ''
  const cs = [...pattern]
  for (let i = 0; i < cs.length; i++) {
    let c = cs[i]!
    if (escapeBy !== undefined && c === escapeBy) {
      c = cs[++i]!
      if (c !== '%' && c !== '_' && c !== escapeBy)
        throw badArgument("Escape character must be followed by '%', '_' or the escape character itself")
    } else if (c === '%' || c === '_') {
      out += c === '%' ? '.*' : '.'
      continue
    }
    out += c.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  }
  return new RegExp(`^${out}$`, 'su')
}

const normalized =
  (form: string): Implementation =>
  ([s]) =>
    (s as string).normalize(form)

export const TEXTS: Readonly<Record<string, Implementation>> = {
  ...URLS,
  lower: ([s]) => mapCase(s as string, (c) => c.toLowerCase()),
  upper: ([s]) => mapCase(s as string, (c) => c.toUpperCase()),
  reverse: ([s]) => [...(s as string)].reverse().join(''),
  trim: ([s, cs]) => trimmed(s as string, cs, true, true),
  ltrim: ([s, cs]) => trimmed(s as string, cs, true, false),
  rtrim: ([s, cs]) => trimmed(s as string, cs, false, true),
  replace: ([s, what, by]) => {
    const [text, search, replacement] = [s as string, what as string, (by ?? '') as string]
    if (search === '') return replacement === '' ? text : replacement + [...text].map((c) => c + replacement).join('')
    return text.replaceAll(search, () => replacement)
  },
  substr: ([s, from, length]) => substr(s as string, from as bigint, length as bigint | undefined),
  // char(n) is held without its blanks
  char_length: (_, { parameters: [t] }) => BigInt(t!.p!),
  substr_char: ([s, from, length], { parameters: [t] }) => {
    const blanks = ' '.repeat(t!.p! - [...(s as string)].length)
    return substr(s + blanks, from as bigint, length as bigint | undefined)
  },
  strpos: ([s, what, n]) => position(s as string, what as string, (n ?? 1n) as bigint),
  split: ([s, d, n]) => split(s as string, d as string, n as bigint | undefined),
  split_part: ([s, d, n]) => {
    if ((n as bigint) <= 0n) throw badArgument('Index must be greater than zero')
    if (d === '') return (n as bigint) <= BigInt([...(s as string)].length) ? [...(s as string)][Number(n) - 1]! : null
    return (s as string).split(d as string)[Number(n) - 1] ?? null
  },
  split_to_map: ([s, e, k]) => {
    const out = new Map<string, string>()
    for (const [key, value] of pairsOf(s as string, e as string, k as string)) {
      if (out.has(key))
        throw badArgument(`Duplicate keys (${key}) are not allowed. Specify a lambda to resolve conflicts`)
      out.set(key, value)
    }
    return [...out]
  },
  split_to_multimap: ([s, e, k]) => {
    const out = new Map<string, string[]>()
    for (const [key, value] of pairsOf(s as string, e as string, k as string))
      out.set(key, [...(out.get(key) ?? []), value])
    return [...out]
  },
  lpad: ([s, n, f]) => pad(s as string, n as bigint, f as string, true),
  rpad: ([s, n, f]) => pad(s as string, n as bigint, f as string, false),
  chr: ([n]) => {
    const code = n as bigint
    if (code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn) || code === 0n)
      throw badArgument(`Not a valid Unicode code point: ${code}`)
    return String.fromCodePoint(Number(code))
  },
  codepoint: ([s]) => {
    if ([...(s as string)].length !== 1) throw badArgument('Input string must be a single character string')
    return (s as string).codePointAt(0)!
  },
  concat_ws: ([separator, ...parts]) =>
    separator === null ? null : parts.filter((p) => p !== null).join(separator as string),
  concat_ws_array: ([separator, parts]) => (parts as Value[]).filter((p) => p !== null).join(separator as string),
  translate: ([s, from, to]) => {
    const [f, t] = [[...(from as string)], [...(to as string)]]
    const table = new Map<string, string>()
    f.forEach((c, i) => {
      if (!table.has(c)) table.set(c, t[i] ?? '')
    })
    return [...(s as string)].map((c) => table.get(c) ?? c).join('')
  },
  levenshtein_distance: ([a, b]) => levenshtein(a as string, b as string),
  hamming_distance: ([a, b]) => {
    const [x, y] = [[...(a as string)], [...(b as string)]]
    if (x.length !== y.length)
      throw badArgument('The input strings to hamming_distance function must have the same length')
    return BigInt(x.filter((c, i) => c !== y[i]).length)
  },
  soundex: ([s]) => soundex(s as string),
  luhn_check: ([s]) => {
    if (s === '') return false
    if (!/^\d*$/.test(s as string)) throw badArgument(`Invalid digit in luhn_check: ${(s as string).slice(0, 30)}`)
    const sum = [...(s as string)]
      .reverse()
      .reduce((n, c, i) => n + (i % 2 === 0 ? Number(c) : Number(c) > 4 ? Number(c) * 2 - 9 : Number(c) * 2), 0)
    return sum % 10 === 0
  },
  normalize_nfc: normalized('NFC'),
  normalize_nfd: normalized('NFD'),
  normalize_nfkc: normalized('NFKC'),
  normalize_nfkd: normalized('NFKD'),
  like: ([s, p, e]) => likeToRegExp(p as string, e as string | undefined).test(s as string),
  format_number: ([n]) => shortNumber(Number(n)),
  format_number_double: ([n]) => shortNumber(toLong(n as number)),
}

/** A double as Java casts it to long: cut, and bounded. */
const toLong = (x: number) => (Number.isNaN(x) ? 0 : Math.max(-(2 ** 63), Math.min(2 ** 63, Math.trunc(x))))

/** `1.23K`: at most three significant digits. */
function shortNumber(x: number): string {
  const units = ['', 'K', 'M', 'B', 'T', 'Q']
  let n = Math.abs(x)
  let u = 0
  while (n >= 1000 && u < units.length - 1) {
    n /= 1000
    u++
  }
  const digits = n >= 100 ? 0 : n >= 10 ? 1 : 2
  return `${x < 0 ? '-' : ''}${String(Number(n.toFixed(digits)))}${units[u]}`
}

function soundex(text: string): string {
  const letters = [...text.toUpperCase()].filter((c) => /\p{L}/u.test(c))
  if (letters.length === 0) return ''
  if (letters.some((c) => !/[A-Z]/.test(c))) throw badArgument('The character is not mapped')
  const code = (c: string) => '01230120022455012623010202'[c.charCodeAt(0) - 65]!
  let out = letters[0]!
  let last = code(letters[0]!)
  for (const c of letters.slice(1)) {
    if (c === 'H' || c === 'W') continue
    const d = code(c)
    if (d !== '0' && d !== last) out += d
    last = d
  }
  return out.padEnd(4, '0').slice(0, 4)
}
