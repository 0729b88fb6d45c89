import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ApiKeyService } from '../../../src/accounts/api-keys/api-key-service.ts'
import { AnswerSeal } from '../../../src/accounts/idempotency/answer-seal.ts'
import { IdempotencyService } from '../../../src/accounts/idempotency/idempotency-service.ts'
import { CursorCodec } from '../../../src/http/cursor.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestApi, type TestApi } from '../../support/api.ts'

const [before, after] = [randomBytes(32), randomBytes(32)]
const place = ['caller', 'key']

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})

afterAll(() => api?.close())

const log: string[] = []
const logger = createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } })
const keys = (...peppers: Buffer[]) => new ApiKeyService(api.database, peppers, logger)

async function hashOf(id: string): Promise<string> {
  const row = await api.database.prisma.apiKey.findUniqueOrThrow({ where: { id } })
  return Buffer.from(row.secretHash).toString('hex')
}

/** As if the last use was long ago. */
const unused = (id: string) => api.database.prisma.apiKey.update({ where: { id }, data: { lastUsedAt: null } })

describe('a pepper that is rotated', () => {
  it('costs no key while both are known, and each key that is used is hashed by the new one', async () => {
    const { key, token } = await keys(before).create({ name: 'rotated', scopes: ['players:read'] }, api.context)
    const old = await hashOf(key.id)
    expect(await keys(before, after).authenticate(token)).toMatchObject({ id: key.id })
    expect(await hashOf(key.id)).toBe(old)

    await unused(key.id)
    expect(await keys(after, before).authenticate(token)).toMatchObject({ id: key.id })
    expect(await hashOf(key.id)).not.toBe(old)
    expect(log.map((line) => JSON.parse(line)).filter((line) => line.keyId === key.id)).toHaveLength(1)
    expect(await keys(after).authenticate(token)).toMatchObject({ id: key.id })
    expect(await keys(before).authenticate(token)).toBeUndefined()
    // A process of the release before, which still prefers the old one.
    expect(await keys(before, after).authenticate(token)).toMatchObject({ id: key.id })
  })

  it('hashes a key at most once a minute, however the processes are set', async () => {
    const { key, token } = await keys(before).create({ name: 'twice', scopes: ['players:read'] }, api.context)
    await keys(after, before).authenticate(token)
    const hashed = await hashOf(key.id)
    await keys(before, after).authenticate(token)
    expect(await hashOf(key.id)).toBe(hashed)
  })

  it('lets nobody in by a wrong secret, a revoked key or a pepper that is not known any more', async () => {
    const { key, token } = await keys(before).create({ name: 'revoked', scopes: ['players:read'] }, api.context)
    expect(await keys(after).authenticate(token)).toBeUndefined()
    await keys(before).revoke(key.id, api.context)
    expect(await keys(after, before).authenticate(token)).toBeUndefined()
    const other = await keys(before).create({ name: 'other', scopes: ['players:read'] }, api.context)
    const swapped = other.token.replace(other.key.id, key.id)
    expect(await keys(after, before).authenticate(swapped)).toBeUndefined()
  })

  it('leaves stored answers readable', () => {
    const sealed = new AnswerSeal(before).seal(Buffer.from('answer'), place)
    expect(String(new AnswerSeal([after, before]).open(sealed, place))).toBe('answer')
    expect(() => new AnswerSeal([after, before]).open(sealed, ['another', 'key'])).toThrow()
    expect(() => new AnswerSeal(after).open(sealed, place)).toThrow()
  })

  it('tells who repeats a request whose answer is lost with it that it was done, and does nothing', async () => {
    const service = (pepper: Buffer) =>
      new IdempotencyService({ database: api.database, seal: new AnswerSeal(pepper), logger })
    const request = { callerId: 'caller', key: 'leaked pepper', fingerprint: randomBytes(32) }
    const answer = { status: 201, headers: {}, body: Buffer.from('{}') }
    const work = vi.fn(async () => answer)
    await service(before).once(request, 'database', work)
    const repeat = service(after).once(request, 'database', work)
    await expect(repeat).rejects.toMatchObject({ code: 'conflict', extra: { answeredWith: 201 } })
    expect(work).toHaveBeenCalledTimes(1)
    expect(await service(before).once(request, 'database', work)).toEqual({ answer, replayed: true })
  })
})

describe('a cursor key that is rotated', () => {
  it('leaves cursors that are on their way valid, and makes new ones by itself', () => {
    const position = { values: ['a'], id: 'x', backward: false }
    const cursor = new CursorCodec(before).encode(position, 'list')
    expect(new CursorCodec([after, before]).decode(cursor, 'list')).toEqual(position)
    expect(() => new CursorCodec(after).decode(cursor, 'list')).toThrow('cursor')
    const next = new CursorCodec([after, before]).encode(position, 'list')
    expect(new CursorCodec(after).decode(next, 'list')).toEqual(position)
    expect(() => new CursorCodec([after, before]).decode(cursor, 'another')).toThrow('cursor')
  })
})
