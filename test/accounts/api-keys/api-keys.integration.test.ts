import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mintKey, parseToken } from '../../../src/accounts/api-keys/api-key.ts'
import { ApiKeyService } from '../../../src/accounts/api-keys/api-key-service.ts'
import type { Context } from '../../../src/caller.ts'
import { createLogger } from '../../../src/logger.ts'
import { createTestApi, type TestApi } from '../../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

const idOf = (token: string) => parseToken(token)?.id ?? ''

describe('a token', () => {
  it('has a prefix for scanners, an id, 256 random bits and a checksum', () => {
    const { token, id, secret } = mintKey()
    expect(token).toMatch(/^rg_live_[0-9a-z]{12}_[A-Za-z0-9_-]{43}_[0-9A-Za-z]{6}$/)
    expect(parseToken(token)).toEqual({ id, secret })
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  })

  it('that was mistyped is known by its checksum alone', () => {
    const { token } = mintKey()
    for (let i = 0; i < token.length; i++) {
      const changed = `${token.slice(0, i)}${token[i] === '0' ? '1' : '0'}${token.slice(i + 1)}`
      expect(parseToken(changed), `at ${i}`).toBeUndefined()
    }
  })

  it('ends in the CRC-32 of what stands before it, in base 62', () => {
    const { token } = mintKey()
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    const value = [...token.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
    expect(value).toBe(crc32(token.slice(0, -7)))
  })
})

describe('an API key', () => {
  it('proves its holder; another secret, pepper or an unknown id does not', async () => {
    const { key, token } = await api.keys.create({ name: 'CI', scopes: ['games:read'] }, api.context)
    expect(await api.keys.authenticate(token)).toEqual({
      type: 'api_key',
      id: key.id,
      name: 'CI',
      scopes: new Set(['games:read']),
      expiresAt: key.expiresAt,
    })
    expect(await api.keys.authenticate(mintKey().token)).toBeUndefined()
    const other = new ApiKeyService(api.database, randomBytes(32), createLogger({ level: 'silent' }))
    expect(await other.authenticate(token)).toBeUndefined()
  })

  it('is stored as a hash only, and neither logged nor audited with its secret', async () => {
    const { key, token } = await api.keys.create({ name: 'hidden', scopes: ['games:read'] }, api.context)
    await api.as(token).get('/v1/whoami')
    const row = await api.database.prisma.apiKey.findUniqueOrThrow({ where: { id: key.id } })
    const events = await api.database.prisma.auditEvent.findMany({ where: { entityId: key.id } })
    const secret = parseToken(token)?.secret ?? 'none'
    expect(Buffer.from(row.secretHash)).toHaveLength(32)
    const kept = JSON.stringify([row, events], (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    expect(kept).not.toContain(secret)
    expect(events[0]?.changes).not.toHaveProperty('secretHash')
    expect(api.log()).not.toContain(secret)
    expect(JSON.stringify(await api.keys.list(api.context))).not.toContain('secretHash')
  })

  it('is revoked only with a reason that the trail can hold', async () => {
    const { key, token } = await api.keys.create({ name: 'kept', scopes: ['games:read'] }, api.context)
    for (const reason of [' ', 'x'.repeat(501), 'two\u0007bells']) {
      const refused = api.keys.revoke(key.id, api.context, reason)
      await expect(refused).rejects.toMatchObject({ code: 'validation', errors: [{ pointer: '/reason' }] })
    }
    expect(await api.keys.authenticate(token)).toBeDefined()
  })

  it('that is revoked is refused from the next request on, and revoking again changes nothing', async () => {
    const token = await api.token('studios:read')
    expect((await api.as(token).get('/v1/studios')).status).toBe(200)
    await api.keys.revoke(idOf(token), api.context, 'leaked')
    expect((await api.as(token).get('/v1/studios')).status).toBe(401)
    const again = await api.keys.revoke(idOf(token), api.context)
    expect(again.revokedAt).not.toBeNull()
    const events = await api.database.prisma.auditEvent.findMany({ where: { entityId: idOf(token) } })
    expect(events.map(({ action, reason }) => [action, reason])).toEqual([
      ['api_key.create', null],
      ['api_key.revoke', 'leaked'],
    ])
    await expect(api.keys.revoke('000000000000', api.context)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('that has expired by the clock of the database is refused', async () => {
    const token = await api.token('studios:read')
    await api.database.prisma.$executeRaw`
      UPDATE api_key SET created_at = now() - interval '2 days', expires_at = now() - interval '1 millisecond'
      WHERE id = ${idOf(token)}`
    expect((await api.as(token).get('/v1/studios')).status).toBe(401)
  })

  it('has its use noted at most once a minute', async () => {
    const token = await api.token('studios:read')
    const lastUsed = async () =>
      (await api.database.prisma.apiKey.findUniqueOrThrow({ where: { id: idOf(token) } })).lastUsedAt
    expect(await lastUsed()).toBeNull()
    await api.as(token).get('/v1/whoami')
    const first = await lastUsed()
    expect(first).not.toBeNull()
    await api.as(token).get('/v1/whoami')
    expect(await lastUsed()).toEqual(first)
    await api.database.prisma.$executeRaw`
      UPDATE api_key SET last_used_at = now() - interval '61 seconds' WHERE id = ${idOf(token)}`
    await api.as(token).get('/v1/whoami')
    expect((await lastUsed())?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? 0)
  })

  it('has known scopes, a name and at most a year', async () => {
    const create = (input: object) =>
      (async () => api.keys.create({ name: 'x', scopes: ['games:read'], ...input }, api.context))()
    await expect(create({ scopes: [] })).rejects.toMatchObject({ code: 'validation' })
    await expect(create({ scopes: ['games:all'] })).rejects.toMatchObject({ errors: [{ pointer: '/scopes/0' }] })
    await expect(create({ name: ' ' })).rejects.toMatchObject({ errors: [{ pointer: '/name' }] })
    for (const validDays of [0, 367, 1.5])
      await expect(create({ validDays })).rejects.toMatchObject({ code: 'validation' })
    expect((await create({ validDays: 366 })).key.name).toBe('x')
  })

  it('cannot make a key with scopes that it does not have', async () => {
    const principal = await api.keys.authenticate(await api.token('keys:manage', 'games:read'))
    if (principal === undefined) throw new Error('the key is valid')
    const context: Context = { principal, requestId: 'request-keys' }
    await expect(
      (async () => api.keys.create({ name: 'more', scopes: ['games:read', 'games:write'] }, context))(),
    ).rejects.toMatchObject({ code: 'forbidden' })
    const { key } = await api.keys.create({ name: 'same', scopes: ['games:read'] }, context)
    expect(key.createdBy).toBe(principal.id)
  })

  it('for an administrator has every scope', async () => {
    const { token } = await api.keys.createAdmin('first', api.context)
    const whoami = await api.as(token).get('/v1/whoami')
    expect(whoami.body.scopes).toContain('keys:manage')
    expect(whoami.body.scopes).toHaveLength(20)
  })
})
