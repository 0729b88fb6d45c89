import { accepted, characters, type Rule, refused } from './rule.ts'

/** Allowed in prose beside printable characters: the line feed. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\p{Co}\u202a-\u202e\u2066-\u2069]/u
const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}]/u

/** Text of several lines for people: NFC, trimmed, every line break a line feed, tabs as spaces. */
export function prose(max: number): Rule<string> {
  return (text) => {
    const value = text.normalize('NFC').replace(/\r\n?/g, '\n').replaceAll('\t', ' ').trim()
    if (!VISIBLE.test(value)) return refused('too-short', 'at least 1 visible character')
    if (characters(value) > max) return refused('too-long', `at most ${max} characters`)
    if (UNPRINTABLE.test(value)) {
      return refused('character', 'control, direction and private-use characters are not allowed')
    }
    return accepted(value)
  }
}
