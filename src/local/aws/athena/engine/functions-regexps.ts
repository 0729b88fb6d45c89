import { badArgument, FunctionFailure, type Implementation, type Value } from './values.ts'

const cache = new Map<string, RegExp>()
const MAX_CACHE = 500

/** A Java pattern as a JavaScript one. What might mean something else there is refused. */
export function javaPattern(pattern: string): RegExp {
  const known = cache.get(pattern)
  if (known !== undefined) {
    known.lastIndex = 0
    return known
  }
  let flags = 'gu'
  let text = pattern
  const inline = /^\(\?([ims]+)\)/.exec(text)
  let dotAll = false
  let multiline = false
  if (inline !== null) {
    text = text.slice(inline[0].length)
    if (inline[1]!.includes('i')) flags += 'i'
    dotAll = inline[1]!.includes('s')
    multiline = inline[1]!.includes('m')
    if (multiline) flags += 'm'
  }
  let re: RegExp
  try {
    re = new RegExp(convert(text, dotAll, multiline), flags)
  } catch (error) {
    if (error instanceof FunctionFailure) throw error
    throw badArgument(`Invalid regular expression: ${pattern.slice(0, 60)}`)
  }
  if (cache.size >= MAX_CACHE) cache.clear()
  cache.set(pattern, re)
  return re
}

const POSIX: Readonly<Record<string, string>> = {
  Alpha: 'A-Za-z',
  Digit: '0-9',
  Alnum: 'A-Za-z0-9',
  Upper: 'A-Z',
  Lower: 'a-z',
  Punct: '!-/:-@\\[-`\\{-~',
  Space: '\\t-\\r ',
  Blank: ' \\t',
  XDigit: '0-9A-Fa-f',
  ASCII: '\\x00-\\x7f',
}

function convert(text: string, dotAll: boolean, multiline: boolean): string {
  const refuse = (what: string) =>
    new FunctionFailure('NOT_SUPPORTED', `${what} in a regular expression is not supported by the local engine`)
  let out = ''
  let inClass = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '\\') {
      const e = text[++i]
      if (e === undefined) throw badArgument('the regular expression ends with a backslash')
      const property = /^\{(?:Is|script=|sc=)?(\w+)\}/.exec(text.slice(i + 1))
      if ((e === 'p' || e === 'P') && property !== null) {
        i += property[0].length
        const posix = POSIX[property[1]!]
        if (posix !== undefined) {
          if (inClass > 0 && e === 'P') throw refuse('a negated class in a class')
          out += inClass > 0 ? posix : `[${e === 'P' ? '^' : ''}${posix}]`
        } else if (/^(?:L|Lu|Ll|Lt|Lm|Lo|M|N|Nd|Nl|No|P|S|Z|Zs|C)$/.test(property[1]!)) out += `\\${e}{${property[1]}}`
        else out += `\\${e}{Script=${property[1]}}`
      } else if (e === 'h') out += inClass > 0 ? ' \\t\\xA0' : '[ \\t\\xA0]'
      else if (e === 'A') out += '(?<![\\s\\S])'
      else if (e === 'z') out += '(?![\\s\\S])'
      else if (e === 'Z') out += '(?=\\n?(?![\\s\\S]))'
      else if (e === 'd') out += '\\d'
      else if (e === 'D') out += '\\D'
      else if (e === 'w') out += inClass > 0 ? 'A-Za-z0-9_' : '[A-Za-z0-9_]'
      else if (e === 'W') {
        if (inClass > 0) throw refuse('\\W in a class')
        out += '[^A-Za-z0-9_]'
      } else if (e === 'b' && inClass === 0)
        out += '(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))'
      else if (/[sStnrfBx1-9u]/.test(e) || (e === 'k' && inClass === 0)) out += `\\${e}`
      else if (/[A-Za-z0]/.test(e)) throw refuse(`\\${e}`)
      else out += /[\^$\\.*+?()[\]{}|/]/.test(e) || (e === '-' && inClass > 0) ? `\\${e}` : e
      continue
    }
    if (inClass > 0) {
      if (c === '[') throw refuse('a class in a class')
      if (c === '&' && text[i + 1] === '&') throw refuse('the intersection of classes')
      if (c === ']') inClass--
      out += c
      continue
    }
    if (c === '[') {
      inClass++
      out += c
      if (text[i + 1] === '^') out += text[++i]
      if (text[i + 1] === ']') {
        out += '\\]'
        i++
      }
    } else if (c === '.') out += dotAll ? '[\\s\\S]' : '[^\\n]'
    else if (c === '$') out += multiline ? '(?=\\n|(?![\\s\\S]))' : '(?=\\n?(?![\\s\\S]))'
    else if (c === '(' && text[i + 1] === '?' && !/^\(\?(?::|=|!|<=|<!|<[A-Za-z]\w*>)/.test(text.slice(i)))
      throw refuse(text.slice(i, i + 4))
    else if (/[*+?}]/.test(c) && text[i + 1] === '+') throw refuse('a possessive quantifier')
    else if (c === '{' && !/^\{\d+(?:,\d*)?\}/.test(text.slice(i))) out += '\\{'
    else if (c === '}' && !/\{\d+(?:,\d*)?$/.test(text.slice(0, i))) out += '\\}'
    else if (c === ']') out += '\\]'
    else out += c
  }
  return out
}

const matches = (s: Value, p: Value) => (s as string).matchAll(javaPattern(p as string))

function groupNumber(re: RegExp, group: Value | undefined): number {
  const n = Number(group ?? 0n)
  const count = new RegExp(`${re.source}|`, re.flags).exec('')!.length - 1
  if (n < 0) throw badArgument('Group cannot be negative')
  if (n > count) throw badArgument(`Pattern has ${count} groups. Cannot access group ${n}`)
  return n
}

function replacementOf(template: string, re: RegExp): (m: RegExpExecArray | RegExpMatchArray) => string {
  const count = new RegExp(`${re.source}|`, re.flags).exec('')!.length - 1
  const parts: (string | number | { name: string })[] = []
  for (let i = 0; i < template.length; i++) {
    const c = template[i]!
    if (c === '\\') {
      const e = template[++i]
      if (e === undefined) throw badArgument("Illegal replacement sequence: ends with '\\'")
      parts.push(e)
    } else if (c === '$') {
      const named = /^\{(\w+)\}/.exec(template.slice(i + 1))
      if (named !== null) {
        i += named[0].length
        parts.push({ name: named[1]! })
        continue
      }
      let digits = /^\d+/.exec(template.slice(i + 1))?.[0]
      if (digits === undefined) throw badArgument(`Illegal replacement sequence: ${template.slice(0, 40)}`)
      while (digits.length > 1 && Number(digits) > count) digits = digits.slice(0, -1)
      if (Number(digits) > count) throw badArgument(`Illegal replacement sequence: unknown group ${digits}`)
      i += digits.length
      parts.push(Number(digits))
    } else parts.push(c)
  }
  return (m) =>
    parts
      .map((p) => {
        if (typeof p === 'string') return p
        if (typeof p === 'number') return m[p] ?? ''
        if (m.groups === undefined || !(p.name in m.groups))
          throw badArgument(`Illegal replacement sequence: unknown group { ${p.name} }`)
        return m.groups[p.name] ?? ''
      })
      .join('')
}

export const REGEXPS: Readonly<Record<string, Implementation>> = {
  regexp_like: ([s, p]) => javaPattern(p as string).test(s as string),
  regexp_replace: ([s, p, r]) => {
    const re = javaPattern(p as string)
    const replace = replacementOf((r ?? '') as string, re)
    let out = ''
    let at = 0
    for (const m of (s as string).matchAll(re)) {
      out += (s as string).slice(at, m.index) + replace(m)
      at = m.index + m[0].length
    }
    return out + (s as string).slice(at)
  },
  regexp_extract: ([s, p, g]) => {
    const re = javaPattern(p as string)
    const n = groupNumber(re, g)
    return re.exec(s as string)?.[n] ?? null
  },
  regexp_extract_all: ([s, p, g]) => {
    const n = groupNumber(javaPattern(p as string), g)
    return [...matches(s!, p!)].map((m) => m[n] ?? null)
  },
  regexp_count: ([s, p]) => BigInt([...matches(s!, p!)].length),
  regexp_split: ([s, p]) => {
    const out: string[] = []
    let at = 0
    for (const m of matches(s!, p!)) {
      out.push((s as string).slice(at, m.index))
      at = m.index + m[0].length
    }
    out.push((s as string).slice(at))
    return out
  },
  regexp_position: ([s, p, start, n]) => {
    const from = Number(start ?? 1n)
    if (from < 1) throw badArgument('start position cannot be smaller than 1')
    if (n !== undefined && (n as bigint) < 1n) throw badArgument('occurrence cannot be smaller than 1')
    const cs = [...(s as string)]
    if (from > cs.length) return -1
    const offset = cs.slice(0, from - 1).join('').length
    const re = javaPattern(p as string)
    re.lastIndex = offset
    let found: RegExpExecArray | null = null
    for (let i = 0n; i < ((n ?? 1n) as bigint); i++) {
      found = re.exec(s as string)
      if (found === null) return -1
      if (found[0] === '') re.lastIndex++
    }
    return [...(s as string).slice(0, found!.index)].length + 1
  },
}
