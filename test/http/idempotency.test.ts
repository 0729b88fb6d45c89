import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { lines, noContent, ok } from '../../src/http/answer.ts'
import { parseIdempotencyKey, wireAnswer } from '../../src/http/idempotency.ts'
import { honoursIdempotencyKey, type Method, route } from '../../src/http/route.ts'

describe('an Idempotency-Key header', () => {
  it.each([
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['  "12345678"  ', '12345678'],
    [String.raw`"with\"quote\\s"`, String.raw`with"quote\s`],
    ['inner"quote', 'inner"quote'],
    ['k'.repeat(255), 'k'.repeat(255)],
  ])('%s is the key %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key)
  })

  it.each([
    '',
    '1234567',
    '"1234567"',
    'k'.repeat(256),
    'two words',
    '"two words"',
    'schlüssel-eins',
    '"open-ended',
    '"a\\b-escape"',
    'tab\tbed-key',
  ])('%j is none', (header) => {
    expect(() => parseIdempotencyKey(header)).toThrow(expect.objectContaining({ code: 'malformed-header' }))
  })
})

describe('an answer on the wire', () => {
  it('has its bytes, headers and status', () => {
    const answer = wireAnswer(ok({ name: 'Zoë' }, { version: 7 }))
    expect(answer).toMatchObject({ status: 200, headers: { ETag: '"7"', 'Content-Type': 'application/json' } })
    expect(answer.body?.toString()).toBe('{"name":"Zoë"}')
    expect(wireAnswer(noContent())).toEqual({ status: 204, headers: {}, body: null })
  })

  it('cannot be a stream', () => {
    expect(() => wireAnswer(lines((async function* () {})()))).toThrow('cannot be stored')
  })
})

describe('the header is honoured', () => {
  const operation = (method: Method, more: object = {}) =>
    route({
      ...{ operation: 'x', method, path: '/v1/x', tag: 'x', summary: 'x', access: 'key', answers: {} },
      params: z.strictObject({}),
      handle: () => noContent(),
      ...more,
    })

  it('by POST and PATCH, unless they refuse it', () => {
    expect(
      (['get', 'post', 'put', 'patch', 'delete'] as const).filter((m) => honoursIdempotencyKey(operation(m))),
    ).toEqual(['post', 'patch'])
    expect(honoursIdempotencyKey(operation('post', { refusedHeaders: { 'Idempotency-Key': 'no' } }))).toBe(false)
    expect(honoursIdempotencyKey(operation('post', { effect: 'outside' }))).toBe(true)
  })
})
