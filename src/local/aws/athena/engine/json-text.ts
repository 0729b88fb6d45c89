/**
 * JSON that keeps the text of its numbers. Trino's JSON values are texts in canonical form: no blanks, keys sorted by
 * json_parse, numbers as they were written.
 */
export type Json = null | boolean | string | JsonNumber | Json[] | Map<string, Json>
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const MAX_DEPTH = 500

/** Undefined when the text is not JSON. */
export function parseJson(text: string, firstWins = false): Json | undefined {
  let at = 0
  const blank = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++
  }
  const take = (symbol: string) => {
    if (text[at] !== symbol) return false
    at++
    return true
  }
  const string = (): string | undefined => {
    const start = at
    at++
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    if (at >= text.length) return undefined
    at++
    try {
      return JSON.parse(text.slice(start, at)) as string
    } catch {
      return undefined
    }
  }
  const value = (depth: number): Json | undefined => {
    if (depth > MAX_DEPTH) return undefined
    blank()
    const c = text[at]
    if (c === '"') return string()
    if (c === '[') {
      at++
      const out: Json[] = []
      blank()
      if (take(']')) return out
      for (;;) {
        const item = value(depth + 1)
        if (item === undefined) return undefined
        out.push(item)
        blank()
        if (!take(',')) return take(']') ? out : undefined
      }
    }
    if (c === '{') {
      at++
      const out = new Map<string, Json>()
      blank()
      if (take('}')) return out
      for (;;) {
        blank()
        const key = text[at] === '"' ? string() : undefined
        if (key === undefined) return undefined
        blank()
        if (text[at++] !== ':') return undefined
        const item = value(depth + 1)
        if (item === undefined) return undefined
        if (!firstWins || !out.has(key)) out.set(key, item)
        blank()
        if (!take(',')) return take('}') ? out : undefined
      }
    }
    for (const [word, v] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const)
      if (text.startsWith(word, at)) {
        at += word.length
        return v
      }
    const m = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at, at + 400))
    if (m === null) return undefined
    at += m[0].length
    return new JsonNumber(m[0])
  }
  const out = value(0)
  blank()
  return at === text.length ? out : undefined
}

export function writeJson(v: Json, sortKeys = false): string {
  if (v === null || typeof v === 'boolean') return String(v)
  if (typeof v === 'string') return JSON.stringify(v)
  if (v instanceof JsonNumber) return v.text
  if (Array.isArray(v)) return `[${v.map((x) => writeJson(x, sortKeys)).join(',')}]`
  const entries = [...v]
  if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([k, x]) => `${JSON.stringify(k)}:${writeJson(x, sortKeys)}`).join(',')}}`
}

/** `$.store.book[0]["title"]` as steps, or undefined when the path is not of that simple form. */
export function parsePath(path: string): (string | number)[] | undefined {
  const steps: (string | number)[] = []
  const re = /\.([^.[\]"\s*?@()]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['([^'\]]*)'\]|\.(?=\[)/y
  const text = path.trim()
  if (!text.startsWith('$')) {
    // a path without `$` is taken as if it had one
    return undefined
  }
  re.lastIndex = 1
  while (re.lastIndex < text.length) {
    const m = re.exec(text)
    if (m === null) return undefined
    if (m[1] !== undefined) steps.push(m[1])
    else if (m[2] !== undefined) steps.push(Number(m[2]))
    else if (m[3] !== undefined) steps.push(m[3].replace(/\\(.)/g, '$1'))
    else if (m[4] !== undefined) steps.push(m[4])
  }
  return steps
}

export function walk(v: Json, steps: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = v
  for (const s of steps) {
    if (at instanceof Map) at = at.get(String(s))
    else if (Array.isArray(at)) {
      const i: number = typeof s === 'number' ? s : /^\d+$/.test(s) ? Number(s) : -1
      at = i >= 0 ? at[i] : undefined
    } else return undefined
    if (at === undefined) return undefined
  }
  return at
}
