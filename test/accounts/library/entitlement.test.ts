import { describe, expect, it } from 'vitest'
import { GAME_STATUSES } from '../../../src/accounts/games/game.ts'
import {
  ENTITLEMENT_SOURCES,
  type Entitlement,
  type EntitlementSource,
  type Grant,
  granted,
  grantedAgain,
  isGrantable,
  patched,
  revoked,
} from '../../../src/accounts/library/entitlement.ts'
import { grantSchema } from '../../../src/accounts/library/entitlement-schema.ts'
import { NEVER_PLAYED, playtimeAfter } from '../../../src/accounts/library/playtime.ts'
import { check } from '../../../src/http/validation.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, day))
const now = at(20)
const purchase: Grant = { source: 'purchase', sourceRef: null, expiresAt: null }

function owned(fields: Partial<Entitlement> = {}): Entitlement {
  const key = { id: 'row', playerId: 'player', gameId: 'game', platform: 'windows' } as const
  const row = { version: 1, createdAt: at(1), updatedAt: at(1) }
  return { ...key, ...row, ...granted({ ...purchase, acquiredAt: at(5) }, now), ...fields }
}

const codes = (run: () => unknown) => {
  try {
    run()
    return []
  } catch (error) {
    return (error as { errors: { pointer: string; code: string }[] }).errors.map((e) => `${e.pointer} ${e.code}`)
  }
}

describe('a game may be granted', () => {
  it('early by beta, press and staff, else from the announcement on, and never after it was taken from sale for good', () => {
    const states = (source: (typeof ENTITLEMENT_SOURCES)[number]) =>
      GAME_STATUSES.filter((status) => isGrantable(source, status))
    const onOffer = ['announced', 'early_access', 'released', 'delisted']
    for (const source of ENTITLEMENT_SOURCES) {
      const early = ['beta', 'press', 'staff'].includes(source)
      expect(states(source), source).toEqual(early ? ['approved', ...onOffer] : onOffer)
    }
  })
})

describe('a grant', () => {
  it('without a time is of now; said again it changes nothing', () => {
    expect(granted(purchase, now)).toMatchObject({ acquiredAt: now, expiresAt: null, ...NEVER_PLAYED })
    expect(grantedAgain(owned(), purchase, now)).toEqual(granted({ ...purchase, acquiredAt: at(5) }, now))
  })

  it('ends after it began', () => {
    expect(codes(() => granted({ ...purchase, expiresAt: now }, now))).toEqual(['/expiresAt not-after-acquired'])
    expect(codes(() => patched(owned(), { expiresAt: at(5) }))).toEqual(['/expiresAt not-after-acquired'])
    expect(patched(owned(), { expiresAt: at(6) }).expiresAt).toEqual(at(6))
  })

  it('undoes a revocation when it is newer, and not when it comes late', () => {
    const gone = owned({ revokedAt: at(10), revokeReason: 'refund' })
    expect(codes(() => grantedAgain(gone, { ...purchase, acquiredAt: at(10) }, now))).toEqual([
      '/acquiredAt before-revocation',
    ])
    const live = { revokedAt: null, revokeReason: null }
    expect(grantedAgain(gone, { ...purchase, acquiredAt: at(11) }, now)).toMatchObject({ ...live, acquiredAt: at(11) })
    expect(grantedAgain(gone, purchase, now)).toMatchObject({ ...live, acquiredAt: now })
    const slowClock = grantedAgain(owned({ revokedAt: at(25), revokeReason: 'other' }), purchase, now)
    expect(slowClock.acquiredAt > at(25)).toBe(true)
  })

  it('of a time to come, revoked before that, is not undone by the same grant that comes again', () => {
    const preOrder = { ...purchase, acquiredAt: at(28) }
    const gone = owned({ acquiredAt: at(28), revokedAt: at(10), revokeReason: 'refund' })
    expect(codes(() => grantedAgain(gone, preOrder, now))).toEqual(['/acquiredAt before-revocation'])
    expect(codes(() => grantedAgain(gone, { ...purchase, acquiredAt: at(27) }, now))).toEqual([
      '/acquiredAt before-revocation',
    ])
    expect(grantedAgain(gone, { ...purchase, acquiredAt: at(29) }, now).revokedAt).toBeNull()
    expect(grantedAgain(gone, purchase, now)).toMatchObject({ acquiredAt: now, revokedAt: null })
  })

  it('without a time is new after a revocation, unless it names the order that was revoked', () => {
    const order = { ...purchase, sourceRef: 'order-1' }
    const gone = owned({ sourceRef: 'order-1', revokedAt: at(10), revokeReason: 'refund' })
    expect(codes(() => grantedAgain(gone, order, now))).toEqual(['/acquiredAt before-revocation'])
    expect(grantedAgain(gone, { ...order, sourceRef: 'order-2' }, now)).toMatchObject({
      acquiredAt: now,
      revokedAt: null,
    })
    expect(grantedAgain(gone, { ...order, acquiredAt: at(11) }, now)).toMatchObject({ revokedAt: null })
    expect(grantedAgain(gone, purchase, now)).toMatchObject({ revokedAt: null })
  })

  it('takes nothing away, neither time nor a stronger source, but for a caller who says what it replaces', () => {
    const line = (source: EntitlementSource, expiresAt: Date | null = null) =>
      owned({ source, sourceRef: 'A', acquiredAt: at(1), expiresAt })
    const regranted = (
      before: Entitlement,
      source: EntitlementSource,
      expiresAt: Date | null = null,
      replaces = false,
    ) => grantedAgain(before, { source, sourceRef: 'B', expiresAt }, now, replaces)
    const bought = line('purchase')
    for (const [source, expiresAt] of [
      ['free', null],
      ['beta', null],
      ['import', null],
      ['subscription', at(30)],
      ['purchase', at(30)],
    ] as const) {
      expect(regranted(bought, source, expiresAt), source).toMatchObject({
        source: 'purchase',
        sourceRef: 'A',
        expiresAt: null,
      })
      expect(regranted(bought, source, expiresAt, true), source).toMatchObject({ source, sourceRef: 'B', expiresAt })
    }
    expect(regranted(bought, 'gift')).toMatchObject({ source: 'gift', sourceRef: 'B' })
    const rented = line('subscription', at(25))
    expect(regranted(rented, 'subscription', at(30))).toMatchObject({ sourceRef: 'B', expiresAt: at(30) })
    expect(regranted(rented, 'purchase')).toMatchObject({ source: 'purchase', expiresAt: null })
    expect(regranted(rented, 'staff')).toMatchObject({ source: 'staff', expiresAt: null })
    expect(regranted(rented, 'beta', at(25))).toMatchObject({ source: 'subscription', sourceRef: 'A' })
    expect(regranted(line('beta'), 'free')).toMatchObject({ source: 'free' })
    const played = grantedAgain(bought, { source: 'free', sourceRef: null, expiresAt: null, playtimeSeconds: 60 }, now)
    expect(played).toMatchObject({ source: 'purchase', playtimeSeconds: 60 })
    expect(codes(() => regranted(bought, 'free', at(1)))).toEqual(['/expiresAt not-after-acquired'])
  })

  it('is revoked at one time, whatever the reason becomes', () => {
    const first = revoked(owned(), 'refund', now)
    expect(first).toEqual({ revokedAt: now, revokeReason: 'refund' })
    expect(revoked(owned(first), 'chargeback', at(25))).toEqual({ revokedAt: now, revokeReason: 'chargeback' })
  })
})

describe('play time', () => {
  it('only grows, in whatever order reports come', () => {
    const reports = [
      { playtimeSeconds: 100, firstPlayedAt: at(2), lastPlayedAt: at(3) },
      { playtimeSeconds: 50, firstPlayedAt: at(1), lastPlayedAt: at(2) },
      { playtimeSeconds: 5_000_000_000, firstPlayedAt: null, lastPlayedAt: at(9) },
    ]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0, 1],
    ]) {
      const total = order.reduce((sum, index) => playtimeAfter(sum, reports[index] ?? {}), NEVER_PLAYED)
      expect(total).toEqual({ playtimeSeconds: 5_000_000_000, firstPlayedAt: at(1), lastPlayedAt: at(9) })
    }
  })

  it('has a first moment only with a last one, and not after it', () => {
    expect(codes(() => patched(owned(), { firstPlayedAt: at(2) }))).toEqual(['/lastPlayedAt required'])
    expect(codes(() => patched(owned(), { firstPlayedAt: at(3), lastPlayedAt: at(2) }))).toEqual([
      '/firstPlayedAt after-last',
    ])
  })
})

describe('the fields of a grant', () => {
  it('are refused by place and rule', () => {
    const errorsOf = (fields: object) => {
      const checked = check(grantSchema, { source: 'key', ...fields })
      return checked.ok ? [] : checked.errors.map(({ pointer, code }) => `${pointer} ${code}`)
    }
    expect(errorsOf({ source: 'stolen' })).toEqual(['/source not-allowed'])
    expect(errorsOf({ playtimeSeconds: -1 })).toEqual(['/playtimeSeconds too-small'])
    expect(errorsOf({ playtimeSeconds: 2 ** 53 })).not.toEqual([])
    expect(errorsOf({ acquiredAt: '2026-01-01' })).toEqual(['/acquiredAt format'])
    expect(errorsOf({ acquiredAt: '2026-01-01T00:00:00.0001Z' })).toEqual(['/acquiredAt format'])
    expect(errorsOf({ revokedAt: null })).toEqual(['/revokedAt unknown-field'])
    expect(errorsOf({ playtimeSeconds: 2 ** 53 - 1 })).toEqual([])
  })
})
