import fc from 'fast-check'
import { expect, it } from 'vitest'
import { plainPlayerLine } from '../../../src/accounts/players/plain-player-line-schema.ts'
import { playerLineSchema } from '../../../src/accounts/players/player-import-schema.ts'
import { check } from '../../../src/http/validation.ts'

const known = (...values: unknown[]) => fc.constantFrom(...values)
const anything = fc.oneof(known(null, undefined, 1, true, '', [], {}), fc.string({ unit: 'binary', maxLength: 40 }))

/** Mostly values that the field may have, some that it may not. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  username: fc.oneof(
    known('nova', 'Zoe\u0308_Q', 'ab', 'admin', 'pаypal', 'x'.repeat(33)),
    fc.stringMatching(/^[a-zA-Z0-9_.é-]{1,34}$/),
  ),
  email: fc.oneof(
    known('a@b.de', ' a@b.de ', 'A.b+c@Example.COM', 'a@b', 'ä@münchen.de', 'a@xn--a.com', null),
    fc.emailAddress(),
  ),
  displayName: fc.oneof(
    known('Nova', 'Nova  ✦', ' a ', 'a\tb', '\u202eabc', null),
    fc.string({ unit: 'grapheme', maxLength: 70 }),
  ),
  birthDate: known(
    '1998-07-14',
    '1900-01-01',
    '1900-01-02',
    '2024-02-29',
    '2023-02-29',
    '2999-01-01',
    '1998-7-14',
    null,
  ),
  country: known('SE', 'se', 'SWE', null),
  locale: known('sv-SE', 'sv_SE', 'SV-se', 'x', null),
  emailVerifiedAt: known('2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00+02:00', '2026-01-31', null),
  createdAt: known('2026-01-31T12:00:00Z', '2026-02-30T12:00:00Z', null),
  closedAt: known('2026-01-31T12:00:00Z', null),
  status: known('active', 'closed', 'erased', null),
  id: known('0193a000-0000-7000-8000-000000000001', 'x'),
  version: known(1, '1'),
  updatedAt: known('2026-01-31T12:00:00Z', 'x'),
  erasedAt: known(null, '2026-01-31T12:00:00Z'),
  nickname: known('x'),
}
const identity = fc.record(
  {
    provider: known('steam', 'studio', 'discord', 'myspace'),
    namespace: known('', 'acme', 'Acme', null),
    subject: fc.oneof(
      known('76561198000000001', '7', 'a b', '', '\ud800', null),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    providerName: known('Nova', ' Nova', 'x'.repeat(129), null),
    verifiedAt: known('2026-01-31T12:00:00Z', null, 'x'),
    linkedAt: known('2026-01-31T12:00:00Z', null),
    unlinkedAt: known(null, '2026-01-31T12:00:00Z'),
  },
  { requiredKeys: [] },
)

/** A few fields, so that many lines have no fault. */
const lines = fc.subarray([...Object.keys(FIELDS), 'identities'], { maxLength: 6 }).chain((names) =>
  fc.record(
    Object.fromEntries(
      names.map((name) => {
        const usual =
          FIELDS[name] ?? fc.oneof({ weight: 9, arbitrary: fc.array(identity, { maxLength: 3 }) }, known(null, {}))
        return [name, fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: anything })]
      }),
    ),
  ),
)

it('a line that is read the short way is read as the schema reads it', () => {
  let plain = 0
  fc.assert(
    fc.property(lines, (line) => {
      const read = plainPlayerLine(line)
      if (read === undefined) return
      plain++
      expect({ ok: true, value: read }).toEqual(check(playerLineSchema, line))
    }),
    { numRuns: 4_000 },
  )
  expect(plain).toBeGreaterThan(400)
})

it('the short way is the way of ordinary lines', () => {
  for (const line of [
    { username: 'nova' },
    {
      username: 'Zoë',
      email: 'zoë@example.com',
      displayName: 'Zoë ✦',
      birthDate: '1998-07-14',
      country: 'SE',
      locale: 'sv-se',
    },
    { username: 'nova', status: 'closed', createdAt: '2026-01-31T12:00:00Z', emailVerifiedAt: null, displayName: null },
    { username: 'nova', identities: [{ provider: 'steam', subject: '76561198000000001', providerName: 'Nova' }] },
    {
      username: 'nova',
      identities: [{ provider: 'studio', namespace: 'acme', subject: '1', linkedAt: '2026-01-31T12:00:00Z' }],
    },
  ]) {
    expect(plainPlayerLine(line)).toEqual((check(playerLineSchema, line) as { value: unknown }).value)
  }
})

it('nothing but an object of its own fields is read the short way', () => {
  const inherited = Object.create({ username: 'nova' }) as object
  for (const input of [
    null,
    'nova',
    1,
    [],
    [{ username: 'nova' }],
    inherited,
    JSON.parse('{"__proto__":{"username":"nova"}}'),
  ]) {
    expect(plainPlayerLine(input)).toBeUndefined()
  }
})
