import type { JsonObject } from '../ports.ts'
import { integer, invalidInput, optionalText } from './request.ts'

/** One page of a listing. `NextToken` is absent on the last one. */
export interface Page<T> {
  readonly items: T[]
  readonly NextToken?: string
}

/**
 * The page that `NextToken` and `MaxResults` of a request ask for. `keys` are ascending. A token names the last key that was
 * sent, not a position: whoever pages while others add and remove sees every entry that was there all the time, once.
 */
export function page<T>(
  input: JsonObject,
  keys: readonly string[],
  pick: (key: string) => T | undefined,
  most: number,
): Page<T> {
  const limit = integer(input, 'MaxResults', 1, most) ?? most
  const after = decodeToken(optionalText(input, 'NextToken'))
  const items: T[] = []
  for (let index = after === undefined ? 0 : firstAfter(keys, after); index < keys.length; index += 1) {
    const key = keys[index]!
    const item = pick(key)
    if (item !== undefined) items.push(item)
    if (items.length === limit) return index + 1 < keys.length ? { items, NextToken: encodeToken(key) } : { items }
  }
  return { items }
}

function firstAfter(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! <= key) low = middle + 1
    else high = middle
  }
  return low
}

const encodeToken = (key: string): string => Buffer.from(JSON.stringify([key])).toString('base64url')

function decodeToken(token: string | undefined): string | undefined {
  if (token === undefined || token === '') return undefined
  try {
    const [key] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown[]
    if (typeof key === 'string') return key
  } catch {
    // falls through to the error below
  }
  throw invalidInput('NextToken is not one of this operation')
}
