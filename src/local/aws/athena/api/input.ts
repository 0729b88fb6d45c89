import { AwsError, type JsonObject } from '../../ports.ts'

export const invalidRequest = (message: string, code = 'INVALID_INPUT') =>
  new AwsError('InvalidRequestException', message, 400, { AthenaErrorCode: code })

export function text(input: JsonObject, name: string): string {
  const value = input[name]
  if (typeof value !== 'string' || value === '')
    throw invalidRequest(`Value null at '${name}' failed to satisfy constraint: Member must not be null`)
  return value
}

export function optionalText(input: JsonObject, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalidRequest(`${name} must be a string`)
  return value
}

export function optionalNumber(input: JsonObject, name: string, from: number, to: number): number | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < from || value > to)
    throw invalidRequest(`${name} must be an integer from ${from} to ${to}`)
  return value
}

export function object(input: JsonObject, name: string): JsonObject {
  const value = input[name]
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidRequest(`${name} must be a structure`)
  return value as JsonObject
}

export function texts(input: JsonObject, name: string): string[] | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || value.some((v) => typeof v !== 'string'))
    throw invalidRequest(`${name} must be a list of strings`)
  return value as string[]
}

/** A page of a list; the token is the position of the next entry. */
export function page<T>(input: JsonObject, list: readonly T[], defaultSize = 50): { items: T[]; next: JsonObject } {
  const size = optionalNumber(input, 'MaxResults', 1, 1000) ?? defaultSize
  const token = optionalText(input, 'NextToken')
  const start =
    token === undefined ? 0 : Number(/^p(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1] ?? 'NaN')
  if (Number.isNaN(start)) throw invalidRequest('The NextToken is not valid.')
  const items = list.slice(start, start + size)
  const more = start + size < list.length
  return { items, next: more ? { NextToken: Buffer.from(`p${start + size}`).toString('base64url') } : {} }
}
