import { describe, expect, it } from 'vitest'
import type { Principal, Scope } from '../../src/caller.ts'
import { personalScope, present, readableFields, requireReadable } from '../../src/http/visibility.ts'

function caller(...scopes: Scope[]): Principal {
  return { type: 'api_key', id: '0', name: 'test', scopes: new Set(scopes), expiresAt: null }
}

const player = {
  id: '1',
  username: 'Zoë',
  usernameKey: 'zoë',
  email: 'zoe@mail.example',
  emailKey: 'zoe@mail.example',
  birthDate: '2000-01-01',
  status: 'active',
  passwordOfTomorrow: 'x',
  createdAt: new Date(0),
}

describe('a row in an answer', () => {
  it('has what the caller may see; the rest is absent', () => {
    expect(present('player', player, caller('players:read'))).toEqual({
      id: '1',
      status: 'active',
      createdAt: '1970-01-01T00:00:00.000Z',
    })
  })

  it('has the personal fields with the scope for them, never keys or what no column is declared for', () => {
    const shown = present('player', player, caller('players:read.personal'))
    expect(Object.keys(shown)).toEqual(['id', 'username', 'email', 'birthDate', 'status', 'createdAt'])
  })

  it('never has a secret, whoever asks', () => {
    expect(readableFields('api_key', caller('keys:manage'))).not.toContain('secretHash')
    expect(present('api_key', { id: 'k', secretHash: Buffer.alloc(32) }, caller('keys:manage'))).toEqual({ id: 'k' })
  })

  it('has big integers as numbers, and fails rather than round one', () => {
    const library = caller('library:read')
    expect(present('player_game', { playtimeSeconds: 3_000_000_000n }, library)).toEqual({ playtimeSeconds: 3e9 })
    expect(() => present('player_game', { playtimeSeconds: 2n ** 60n }, library)).toThrow(RangeError)
  })
})

describe('the scope for personal fields', () => {
  it("is the resource's own, else that of players", () => {
    expect(personalScope('studio_owner')).toBe('owners:read.personal')
    expect(personalScope('player_identity')).toBe('players:read.personal')
    expect(personalScope('player_game')).toBe('players:read.personal')
    expect(personalScope('audit_event')).toBe('players:read.personal')
  })

  it('is needed to ask about one, and asking about a secret is a defect', () => {
    requireReadable('player', 'status', caller(), 'status')
    requireReadable('player', 'country', caller('players:read.personal'), 'country')
    expect(() => requireReadable('player', 'country', caller('owners:read.personal'), 'country')).toThrow(/personal/)
    expect(() => requireReadable('api_key', 'secretHash', caller('keys:manage'), 'x')).toThrow(/cannot be asked/)
    expect(() => requireReadable('player', 'nothing', caller(), 'x')).toThrow(/cannot be asked/)
  })
})
