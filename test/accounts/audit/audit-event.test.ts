import { describe, expect, it } from 'vitest'
import { changesOf, forced } from '../../../src/accounts/audit/audit-event.ts'

describe('the changes of an audit event', () => {
  it('are told by the class of the column: values, only that it changed, or nothing', () => {
    const before = { username: 'Zoe', usernameKey: 'zoe', country: null, status: 'active', version: 1 }
    const after = { username: 'Zoë', usernameKey: 'zoë', country: 'FR', status: 'closed', version: 2 }
    expect(changesOf('player', before, after)).toEqual({
      username: 'changed',
      country: 'changed',
      status: { from: 'active', to: 'closed' },
    })
    expect(changesOf('api_key', undefined, { name: 'CI', secretHash: 'x' })).toEqual({ name: { from: null, to: 'CI' } })
  })

  it('leave out what is equal, unknown or bookkeeping', () => {
    const at = new Date()
    const row = { slug: 'a', createdAt: at, updatedAt: at, statusChangedAt: at, version: 1, somethingElse: 1 }
    expect(changesOf('studio', row, { ...row, updatedAt: new Date(0), version: 2, somethingElse: 2 })).toEqual({})
    expect(changesOf('studio', undefined, { slug: 'a', country: null })).toEqual({ slug: { from: null, to: 'a' } })
  })

  it('hold what JSON can: instants as text, big integers as numbers', () => {
    const changes = changesOf('player_game', undefined, { playtimeSeconds: 2n ** 40n, acquiredAt: new Date(0) })
    expect(JSON.parse(JSON.stringify(changes))).toEqual({
      playtimeSeconds: { from: null, to: 2 ** 40 },
      acquiredAt: { from: null, to: '1970-01-01T00:00:00.000Z' },
    })
  })

  it('say when a writer overwrote on purpose', () => {
    expect(forced({}, 'any')).toEqual({ $ifMatch: '*' })
    expect(forced({}, [1])).toEqual({})
    expect(forced({}, undefined)).toEqual({})
  })
})
