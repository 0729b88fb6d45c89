import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { today } from '../../../src/accounts/text/calendar-date.ts'
import { judgeLocale, parseLocale } from '../../../src/accounts/text/code.ts'
import { judgeEmail, parseEmail } from '../../../src/accounts/text/email.ts'
import { judgeLine, line } from '../../../src/accounts/text/line.ts'
import { characters, type Rule } from '../../../src/accounts/text/rule.ts'
import { judgeUsername, parseUsername } from '../../../src/accounts/text/username.ts'
import { judgeDay, judgeInstant, parseDay, parseInstant } from '../../../src/http/instant.ts'

/** Texts near the edge of what a rule takes: its own characters, a few that it refuses, and any other. */
function texts(characters: string, maxLength = 80): fc.Arbitrary<string> {
  const near = fc.constantFrom(...characters)
  const any = fc.oneof(
    { weight: 12, arbitrary: near },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 1 }) },
  )
  return fc.oneof(
    fc.string({ unit: near, maxLength }),
    fc.array(any, { maxLength }).map((parts) => parts.join('')),
  )
}

function expectEqual<T>(short: Rule<T>, full: Rule<T>, inputs: fc.Arbitrary<string>, numRuns = 1_500): void {
  let accepted = 0
  const same = (text: string) => {
    const judged = full(text)
    if (judged.ok) accepted++
    expect(short(text)).toEqual(judged)
  }
  fc.assert(fc.property(inputs, same), { numRuns })
  // Or the texts would be too far from the rule to tell anything.
  expect(accepted).toBeGreaterThan(numRuns / 50)
}

const words = (...all: string[]) => fc.constantFrom(...all)

describe('the short way of a rule says what the rule says', () => {
  it('about usernames', () => {
    expectEqual(parseUsername, judgeUsername, texts('abzABZ059_.-éÄжα', 36))
    const reserved = fc.tuple(
      words('admin', 'ADMIN', 'Support', 'rocketgames', 'erased-', 'Erased-1', 'x'),
      texts('a_1', 4),
    )
    expectEqual(
      parseUsername,
      judgeUsername,
      reserved.map((parts) => parts.join('')),
    )
  })

  it('about e-mail addresses', () => {
    const local = texts('abzAZ09._+-%\'"é', 70)
    const label = texts('abzAZ09-éß_', 66)
    const known = words(
      'example.com',
      'Example.COM',
      'a.b',
      'a.1',
      '1.2.3.4',
      '0x7f.1',
      'xn--a.com',
      'a--b.com',
      'münchen.de',
      'x.xn--p1ai',
      'a_b.com',
      '-a.com',
    )
    const address = fc.oneof(
      fc.tuple(local, known).map(([name, domain]) => `${name}@${domain}`),
      fc
        .tuple(
          words('a', 'A.b+c', 'x'.repeat(64)),
          fc.array(label, { maxLength: 4 }),
          words('com', 'de', 'c', 'x1', '1', 'рф'),
        )
        .map(([name, labels, last]) => `${name}@${[...labels, last].join('.')}`),
      texts('ab@.-+ ', 20),
    )
    expectEqual(parseEmail, judgeEmail, address, 3_000)
  })

  it('about lines for people', () => {
    for (const limits of [{ max: 64, maxOctets: 256 }, { max: 10 }, { max: 10, maxOctets: 12 }]) {
      expectEqual(line(limits), judgeLine(limits), texts('ab Z~!é\u00a0\t', limits.max + 4))
    }
  })

  it('about language tags, told a second time as well', () => {
    const tags = fc.oneof(
      words('de', 'de-de', 'DE-AT', 'zh-hant-tw', 'en_US', 'iw', 'x', 'sl-rozaj-biske'),
      texts('adez-Z', 12),
    )
    const twice: Rule<string> = (text) => (parseLocale(text).ok ? parseLocale(text) : parseLocale(text))
    expectEqual(twice, judgeLocale, tags)
  })

  it('about days and instants', () => {
    const number = (max: number, digits: number) =>
      fc.integer({ min: 0, max }).map((n) => String(n).padStart(digits, '0'))
    const day = fc
      .tuple(fc.oneof(number(9999, 4), words('0000', '0001', '2024', '1900')), number(13, 2), number(32, 2))
      .map((parts) => parts.join('-'))
    const time = fc.tuple(number(25, 2), number(61, 2), number(61, 2)).map((parts) => parts.join(':'))
    const rest = words('Z', '.123Z', '.5Z', '.1234Z', '+02:00', '-23:59', '', 'z', '.Z', ' ')
    const instant = fc.tuple(day, words('T', ' ', 't'), time, rest).map((parts) => parts.join(''))
    const anything = texts('0129-T:Z.', 26)
    const ruled =
      <T>(parse: (text: string) => T | undefined): Rule<T> =>
      (text) => {
        const value = parse(text)
        return value === undefined ? { ok: false, code: '', detail: '' } : { ok: true, value }
      }
    expectEqual(ruled(parseDay), ruled(judgeDay), fc.oneof(day, day, anything))
    expectEqual(ruled(parseInstant), ruled(judgeInstant), fc.oneof(instant, instant, instant, anything), 3_000)
  })
})

it('characters are code points, halves of surrogate pairs by themselves included', () => {
  const units = fc
    .array(fc.constantFrom('a', 'é', '\ud800', '\udbff', '\udc00', '\udfff', '🚀'))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(units, (text) => {
      expect(characters(text)).toBe([...text].length)
    }),
  )
})

it('today is the day of the clock, whatever day was asked for before', () => {
  const instants = fc.date({
    min: new Date('1970-01-01T00:00:00Z'),
    max: new Date('2999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(instants, (now) => {
      expect(today(now)).toBe(now.toISOString().slice(0, 10))
    }),
  )
})
