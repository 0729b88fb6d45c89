import { describe, expect, it } from 'vitest'
import { newIdentitySchema } from '../../../src/accounts/players/identity-schema.ts'
import { afterStep, withVerification } from '../../../src/accounts/players/player.ts'
import { createPlayerSchema, playerPatchSchema } from '../../../src/accounts/players/player-schema.ts'
import { type Checked, check } from '../../../src/http/validation.ts'

function errorsOf(checked: Checked<unknown>) {
  return checked.ok ? [] : checked.errors.map(({ pointer, code }) => `${pointer} ${code}`)
}

describe('the fields of a player', () => {
  const player = (fields: object) => errorsOf(check(createPlayerSchema, { username: 'Zoë', ...fields }))

  it('are normalised, and a key stands beside name and address', () => {
    const checked = check(createPlayerSchema, {
      username: 'ZOE\u0308_1',
      displayName: '  Zoë   the   Great ',
      email: ' Zoe@BÜCHER.example ',
      birthDate: '2000-02-29',
      locale: 'pt-br',
    })
    expect(checked).toEqual({
      ok: true,
      value: {
        draft: {
          username: 'ZOË_1',
          usernameKey: 'zoë_1',
          displayName: 'Zoë the Great',
          email: 'Zoe@BÜCHER.example',
          emailKey: 'zoe@xn--bcher-kva.example',
          emailVerifiedAt: null,
          birthDate: '2000-02-29',
          country: null,
          locale: 'pt-BR',
        },
        identities: [],
      },
    })
  })

  it('name no account elsewhere twice', () => {
    const [epic, psn] = [
      { provider: 'epic', subject: '1' },
      { provider: 'psn', subject: '1' },
    ]
    expect(player({ identities: [epic, psn] })).toEqual([])
    expect(player({ identities: [epic, psn, { ...epic, providerName: 'Zo' }] })).toEqual(['/identities/2 duplicate'])
  })

  it('may be written in any script, but not in two that look alike', () => {
    for (const username of ['山田太郎', 'Ελλάδα', 'мир123', 'שלום-עולם', 'ｱｲｳ', 'नमस्ते', 'STRAẞE']) {
      expect(player({ username }), username).toEqual([])
    }
    expect(player({ username: 'pаypal' })).toEqual(['/username mixed-script'])
    expect(player({ username: 'zoe😀' })).toEqual(['/username character'])
    expect(player({ username: 'a\u202eb\u202cc' })).toEqual(['/username invisible-character'])
    expect(player({ username: 'ab\ufdfa' })).toEqual(['/username character'])
    expect(player({ username: 'ＡＤＭＩＮ' })).toEqual(['/username reserved'])
    expect(player({ username: 'erased-0123456789' })).toEqual(['/username reserved'])
  })

  it('are refused by place and rule', () => {
    expect(player({ email: 'zoe@localhost' })).toEqual(['/email format'])
    expect(player({ displayName: ' ' })).toEqual(['/displayName too-short'])
    expect(player({ displayName: '👩‍👩‍👧‍👦'.repeat(20) })).toEqual(['/displayName too-long'])
    expect(player({ birthDate: '1900-01-01' })).toEqual(['/birthDate too-early'])
    expect(player({ birthDate: '9999-12-31' })).toEqual(['/birthDate too-late'])
    expect(player({ birthDate: '2001-02-29' })).toEqual(['/birthDate format'])
    expect(player({ country: 'de' })).toEqual(['/country format'])
    expect(player({ locale: 'not a tag' })).toEqual(['/locale format'])
    expect(player({ emailVerifiedAt: '2026-01-01T00:00:00Z' })).toEqual(['/emailVerifiedAt needs-email'])
    expect(player({ status: 'closed' })).toEqual(['/status unknown-field'])
  })

  it('of a patch come with their keys, and only those that are given', () => {
    expect(playerPatchSchema.parse({ email: null })).toEqual({ email: null, emailKey: null })
    expect(playerPatchSchema.parse({ username: 'NEW' })).toEqual({ username: 'NEW', usernameKey: 'new' })
    expect(playerPatchSchema.parse({})).toEqual({})
  })
})

describe('the verification of an address', () => {
  it('ends with the mailbox, not with its letters', () => {
    const before = { emailKey: 'a@x.example' }
    expect(withVerification(before, { email: 'A@x.example', emailKey: 'a@x.example' })).not.toHaveProperty(
      'emailVerifiedAt',
    )
    expect(withVerification(before, { email: 'b@x.example', emailKey: 'b@x.example' }).emailVerifiedAt).toBeNull()
    expect(withVerification(before, { email: null, emailKey: null }).emailVerifiedAt).toBeNull()
  })
})

describe('a step of a player', () => {
  it('notes the time of closing, and forgets it on the way back', () => {
    const now = new Date()
    expect(afterStep('closed', now)).toEqual({ status: 'closed', closedAt: now })
    expect(afterStep('active', now)).toEqual({ status: 'active', closedAt: null })
  })
})

describe('the fields of an identity', () => {
  const identity = (fields: object) =>
    errorsOf(check(newIdentitySchema, { provider: 'discord', subject: '42', ...fields }))

  it('keep the subject byte for byte', () => {
    const subject = 'Ａﬁ\u0308-ß'
    const checked = check(newIdentitySchema, { provider: 'epic', subject })
    expect(checked.ok && checked.value.subject).toBe(subject)
  })

  it('follow the rules of the provider', () => {
    expect(identity({ provider: 'steam', subject: '76561198000000001' })).toEqual([])
    expect(identity({ provider: 'steam', subject: '1234' })).toEqual(['/subject format'])
    expect(identity({ provider: 'studio' })).toEqual(['/namespace required'])
    expect(identity({ provider: 'studio', namespace: 'Acme!' })).toEqual(['/namespace format'])
    expect(identity({ namespace: 'acme' })).toEqual(['/namespace not-allowed'])
    expect(identity({ subject: 'a b' })).toEqual(['/subject character'])
    expect(identity({ subject: 'x'.repeat(256) })).toEqual(['/subject too-long'])
    expect(identity({ provider: 'myspace' })).toEqual(['/provider not-allowed'])
  })
})
