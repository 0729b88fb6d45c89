import { accepted, characters, octets, type Rule, refused } from './rule.ts'

export interface LineLimits {
  /** Code points, after white space is collapsed. */
  readonly max: number
  readonly maxOctets?: number
}

/** Characters that hide, reverse or mean nothing in a name. */
const UNPRINTABLE = /[\p{Cc}\p{Co}\u202a-\u202e\u2066-\u2069]/u
const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}]/u

/** Printable ASCII with single spaces between: nothing to normalise, nothing to refuse but its length. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/

/** One line of text for people, such as a name: NFC, trimmed, white space collapsed, at least one visible character. */
export function line(limits: LineLimits): Rule<string> {
  const judge = judgeLine(limits)
  const plain = Math.min(limits.max, limits.maxOctets ?? limits.max)
  return (text) => (text.length <= plain && PLAIN.test(text) ? accepted(text) : judge(text))
}

/** The rules of `line` in full, without the short way that most texts take. */
export function judgeLine({ max, maxOctets }: LineLimits): Rule<string> {
  return (text) => {
    const value = text.normalize('NFC').replace(/\s+/gu, ' ').trim()
    if (!VISIBLE.test(value)) return refused('too-short', 'at least 1 visible character')
    if (characters(value) > max) return refused('too-long', `at most ${max} characters`)
    if (maxOctets !== undefined && octets(value) > maxOctets) return refused('too-long', `at most ${maxOctets} bytes`)
    if (UNPRINTABLE.test(value)) {
      return refused('character', 'control, direction and private-use characters are not allowed')
    }
    return accepted(value)
  }
}

/** A player's name for others to see. */
export const parseDisplayName = line({ max: 64, maxOctets: 256 })

/** A key of another system, kept byte for byte: no white space at its ends, no control characters. */
export function reference(max: number): Rule<string> {
  return (text) => {
    if (characters(text) < 1) return refused('too-short', 'at least 1 character')
    if (characters(text) > max) return refused('too-long', `at most ${max} characters`)
    if (text !== text.trim() || /\p{Cc}/u.test(text)) {
      return refused('character', 'no white space at the ends and no control characters')
    }
    return accepted(text)
  }
}
