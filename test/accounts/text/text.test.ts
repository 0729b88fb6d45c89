import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCountry, parseLocale, parseSlug, parseWebsite } from '../../../src/accounts/text/code.ts'
import { parseEmail } from '../../../src/accounts/text/email.ts'
import { fold } from '../../../src/accounts/text/fold.ts'
import { line, parseDisplayName, reference } from '../../../src/accounts/text/line.ts'
import type { Ruled } from '../../../src/accounts/text/rule.ts'
import { parseUsername } from '../../../src/accounts/text/username.ts'

/** The value, or the code of the refusal. */
function outcome<T>(ruled: Ruled<T>): T | string {
  return ruled.ok ? ruled.value : ruled.code
}

describe('folding', () => {
  it('makes texts equal that differ by case, compatibility form or width', () => {
    for (const [a, b] of [
      ['STRASSE', 'straße'],
      ['ΑΣ', 'ας'],
      ['ﬁ', 'FI'],
      ['ＡＢＣ', 'abc'],
      ['ẞ', 'ß'],
      ['ﾊﾟ', 'パ'],
      ['Zoe\u0308', 'ZOË'],
    ] as const) {
      expect(fold(a), a).toBe(fold(b))
    }
  })

  it('keeps the Turkish dotted İ apart from i', () => {
    expect(fold('İ')).not.toBe(fold('i'))
  })

  it('is stable, and in NFKC', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const key = fold(text)
        expect(fold(key)).toBe(key)
        expect(key.normalize('NFKC')).toBe(key)
      }),
    )
    expect(fold(fold('\u1e9e'))).toBe(fold('\u1e9e'))
  })
})

describe('a username', () => {
  it('is stored as typed in NFC with a folded key', () => {
    expect(outcome(parseUsername('Zoe\u0308_Q'))).toEqual({ name: 'Zoë_Q', key: 'zoë_q' })
    for (const name of ['abc', '日本語', 'हिन्दी', 'Олег', 'שלום', 'user.name-1', 'عمر3', '한국어']) {
      expect(parseUsername(name).ok, name).toBe(true)
    }
  })

  it('counts code points, not UTF-16 units', () => {
    expect(outcome(parseUsername('𝒜b'))).toBe('too-short')
    expect(parseUsername('𠀀𠀁𠀂').ok).toBe(true)
    expect(parseUsername('𠀀'.repeat(32)).ok).toBe(true)
    expect(outcome(parseUsername('𠀀'.repeat(33)))).toBe('too-long')
  })

  it('is refused with the reason', () => {
    const cases: Record<string, string> = {
      ab: 'too-short',
      'a b c': 'character',
      'a@b': 'character',
      _abc: 'ends',
      'abc.': 'ends',
      'a..b': 'punctuation',
      'a_-b': 'punctuation',
      'a\u200bbc': 'invisible-character',
      'ab\u202ec': 'invisible-character',
      'ab\u115f': 'invisible-character',
      'ab\ufe0fc': 'invisible-character',
      'a\tbc': 'invisible-character',
      pаypal: 'mixed-script',
      αlpha: 'mixed-script',
      µTorrent: 'mixed-script',
      '\ufdfaab': 'character',
      admin: 'reserved',
      ＡＤＭＩＮ: 'reserved',
      RocketGames: 'reserved',
      'Erased-1': 'reserved',
      '😀😀😀': 'character',
    }
    for (const [name, code] of Object.entries(cases)) expect(outcome(parseUsername(name)), name).toBe(code)
  })

  it('has a detail that never quotes it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5 }), (text) => {
        const ruled = parseUsername(text)
        if (!ruled.ok) expect(ruled.detail.includes(text)).toBe(false)
      }),
    )
  })
})

describe('an e-mail address', () => {
  it('is kept as typed; its key folds the local part and writes the domain in ASCII', () => {
    expect(outcome(parseEmail(' Zoë.Q+news@Bücher.DE '))).toEqual({
      address: 'Zoë.Q+news@Bücher.DE',
      key: 'zoë.q+news@xn--bcher-kva.de',
    })
  })

  it('keeps dots and +tags apart: they are different mailboxes', () => {
    const key = (address: string) => {
      const ruled = parseEmail(address)
      return ruled.ok ? ruled.value.key : undefined
    }
    expect(new Set(['a.b@x.de', 'ab@x.de', 'ab+1@x.de'].map(key)).size).toBe(3)
    expect(key('AB@X.de')).toBe(key('ab@x.DE'))
  })

  it('is refused when it is none, or too long', () => {
    for (const text of [
      '',
      'a',
      '@x.de',
      'a@',
      'a@b',
      'a b@x.de',
      'a@x..de',
      '"a b"@x.de',
      'a@[127.0.0.1]',
      'a@127.0.0.1',
    ]) {
      expect(parseEmail(text).ok, text).toBe(false)
    }
    expect(parseEmail(`${'a'.repeat(64)}@x.de`).ok).toBe(true)
    expect(outcome(parseEmail(`${'a'.repeat(65)}@x.de`))).toBe('too-long')
    expect(outcome(parseEmail(`a@${'b'.repeat(250)}.de`))).toBe('too-long')
    expect(parseEmail('a＠b@x.de').ok).toBe(false)
  })
})

describe('a line of text', () => {
  it('is trimmed, collapsed and in NFC', () => {
    expect(outcome(line({ max: 20 })('  Zoe\u0308 \n\t Q\u00a0 '))).toBe('Zoë Q')
  })

  it('has something to see and nothing to hide', () => {
    for (const text of ['', '   ', '\u200b', '\u3164']) expect(outcome(parseDisplayName(text)), text).toBe('too-short')
    for (const text of ['a\u202eb', 'a\u0007b', 'a\ue000b', 'a\u2066b']) {
      expect(outcome(parseDisplayName(text)), text).toBe('character')
    }
    expect(parseDisplayName('👩‍🚀 Zoë').ok).toBe(true)
  })

  it('is bounded in characters and bytes', () => {
    expect(parseDisplayName('x'.repeat(64)).ok).toBe(true)
    expect(outcome(parseDisplayName('x'.repeat(65)))).toBe('too-long')
    expect(parseDisplayName('😀'.repeat(64)).ok).toBe(true)
    expect(outcome(line({ max: 64, maxOctets: 256 })(`${'😀'.repeat(64)}x`))).toBe('too-long')
  })

  it('as a reference is kept byte for byte', () => {
    expect(outcome(reference(8)('A  b'))).toBe('A  b')
    for (const text of ['', ' a', 'a\n', 'a\u0000', 'x'.repeat(9)]) expect(reference(8)(text).ok).toBe(false)
  })
})

describe('codes', () => {
  it('have one form each', () => {
    for (const slug of ['ab', 'star-haul', '4x', 'a'.repeat(64)]) expect(parseSlug(slug).ok, slug).toBe(true)
    for (const slug of ['a', 'A-b', '-a', 'a-', 'a--b', 'a_b', 'ä-b', 'a'.repeat(65), 'ab\n']) {
      expect(parseSlug(slug).ok, slug).toBe(false)
    }
    expect(parseCountry('DE').ok).toBe(true)
    for (const country of ['de', 'DEU', 'D', 'DE\n']) expect(parseCountry(country).ok).toBe(false)
    expect(outcome(parseLocale('pt-br'))).toBe('pt-BR')
    for (const locale of ['', 'x', 'english language', 'de_DE']) expect(parseLocale(locale).ok, locale).toBe(false)
    for (const url of ['https://acme.example/a?b#c', 'http://x']) expect(parseWebsite(url).ok, url).toBe(true)
    for (const url of ['ftp://x', 'https://', 'https://a b', 'javascript:alert(1)', 'https://user:pass@x.example']) {
      expect(parseWebsite(url).ok, url).toBe(false)
    }
  })
})
