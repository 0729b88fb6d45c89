import type { IncomingMessage } from 'node:http'
import { AwsError } from './ports.ts'

const TARGET = /^(?:https?:\/\/[^/?]*)?([^?]*)(?:\?(.*))?$/s

/**
 * Path and query exactly as sent. Never through `URL`: it would resolve `..` and empty segments, which are ordinary parts
 * of an S3 key.
 */
export function requestTarget(request: IncomingMessage): { path: string; query: string } {
  const match = TARGET.exec(request.url ?? '/')
  return { path: match?.[1] || '/', query: match?.[2] ?? '' }
}

/** Percent-decoded text. @throws AwsError `InvalidURI` when it is no UTF-8. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI: it holds a broken percent escape.", 400)
  }
}

/** A query string's pairs, `+` read as a space. Of a repeated name the first value counts, or all with `repeated`. */
export function decodeQuery(query: string): Map<string, string>
export function decodeQuery(query: string, repeated: true): [string, string][]
export function decodeQuery(query: string, repeated = false): Map<string, string> | [string, string][] {
  const pairs: [string, string][] = []
  for (const piece of query.split('&')) {
    if (piece === '') continue
    const at = piece.indexOf('=')
    const decode = (text: string) => decodePercent(text.replaceAll('+', ' '))
    pairs.push(at < 0 ? [decode(piece), ''] : [decode(piece.slice(0, at)), decode(piece.slice(at + 1))])
  }
  if (repeated) return pairs
  // the first of a repeated name wins: later entries of a Map would overwrite it
  return new Map(pairs.reverse())
}
