import { badArgument, type Implementation } from './values.ts'

interface Uri {
  readonly scheme: string | null
  readonly host: string | null
  readonly port: number
  readonly path: string | null
  readonly query: string | null
  readonly fragment: string | null
}

/** RFC 2396 as java.net.URI reads it; null when it refuses the text. */
function parseUri(text: string): Uri | null {
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)
  if (m === null || /[\s"<>\\^`{|}]|%(?![0-9a-fA-F]{2})/.test(text)) return null
  const authority = /^(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*)(?::(\d*))?$/.exec(m[2] ?? '')
  return {
    scheme: m[1] ?? null,
    host: authority?.[1] || null,
    port: authority?.[2] ? Number(authority[2]) : -1,
    path: m[3] ?? '',
    query: m[4] ?? null,
    fragment: m[5] ?? null,
  }
}

function decode(text: string): string {
  const bytes: number[] = []
  for (const part of text.match(/%[0-9a-fA-F]{2}|[^%]+|%/g) ?? []) {
    if (part.length === 3 && part.startsWith('%')) bytes.push(Number.parseInt(part.slice(1), 16))
    else bytes.push(...Buffer.from(part, 'utf8'))
  }
  return Buffer.from(bytes).toString('utf8')
}

const part =
  (read: (u: Uri) => string | null): Implementation =>
  ([s]) => {
    const u = parseUri(s as string)
    return u === null ? null : read(u)
  }

export const URLS: Readonly<Record<string, Implementation>> = {
  url_extract_protocol: part((u) => u.scheme ?? ''),
  url_extract_host: part((u) => u.host ?? ''),
  url_extract_path: part((u) => decode(u.path ?? '')),
  url_extract_query: part((u) => (u.query === null ? '' : decode(u.query))),
  url_extract_fragment: part((u) => (u.fragment === null ? '' : decode(u.fragment))),
  url_extract_port: ([s]) => {
    const u = parseUri(s as string)
    return u === null || u.port < 0 ? null : BigInt(u.port)
  },
  url_extract_parameter: ([s, name]) => {
    const u = parseUri(s as string)
    if (u === null || u.query === null) return null
    for (const p of u.query.split('&')) {
      const at = p.indexOf('=')
      const key = at < 0 ? p : p.slice(0, at)
      if (decode(key) === name) return at < 0 ? '' : decode(p.slice(at + 1).replaceAll('+', ' '))
    }
    return null
  },
  url_encode: ([s]) =>
    [...Buffer.from(s as string, 'utf8')]
      .map((b) =>
        /[A-Za-z0-9._*-]/.test(String.fromCharCode(b))
          ? String.fromCharCode(b)
          : b === 32
            ? '+'
            : `%${b.toString(16).toUpperCase().padStart(2, '0')}`,
      )
      .join(''),
  url_decode: ([s]) => {
    if (/%(?![0-9a-fA-F]{2})/.test(s as string)) throw badArgument('Illegal hex characters in escape (%) pattern')
    return decode((s as string).replaceAll('+', ' '))
  },
}
