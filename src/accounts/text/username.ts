import { fold } from './fold.ts'
import { accepted, characters, type Ruled, refused } from './rule.ts'

/** A username as typed, in NFC, and the key under which it is unique. */
export interface Username {
  readonly name: string
  readonly key: string
}

const RESERVED = new Set(['admin', 'rocketgames', 'support'])
const ERASED_PREFIX = 'erased-'

/** Names of ASCII letters and digits that no other rule but the reserved words can refuse. */
const PLAIN = /^[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*$/
const [MIN, MAX] = [3, 32]

/**
 * 3-32 letters, marks, digits, `_`, `.` or `-`; a letter or digit at both ends (a letter may carry marks); no two punctuation
 * characters in a row; nothing invisible; Latin not mixed with Cyrillic or Greek; not reserved. The key is checked as well:
 * some single letters fold to text with a space, and the database would refuse it.
 */
export function parseUsername(text: string): Ruled<Username> {
  if (text.length >= MIN && text.length <= MAX && PLAIN.test(text)) return unlessReserved(text, text.toLowerCase())
  return judgeUsername(text)
}

/** The rules in full, without the short way that most names take. */
export function judgeUsername(text: string): Ruled<Username> {
  const name = text.normalize('NFC')
  const length = characters(name)
  if (length < MIN) return refused('too-short', `at least ${MIN} characters`)
  if (length > MAX) return refused('too-long', `at most ${MAX} characters`)
  if (/[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}]/u.test(name)) {
    return refused('invisible-character', 'invisible and direction characters are not allowed')
  }
  if (!/^[\p{L}\p{M}\p{N}_.-]+$/u.test(name)) return refused('character', 'letters, digits, _, . and - are allowed')
  if (!/^[\p{L}\p{N}]/u.test(name) || !/[\p{L}\p{N}]\p{M}*$/u.test(name)) {
    return refused('ends', 'must begin and end with a letter or a digit')
  }
  if (/[_.-]{2}/.test(name)) return refused('punctuation', 'no two of _, . and - in a row')
  const key = fold(name)
  const mixed = mixedScripts(name + key)
  if (mixed !== undefined) return refused('mixed-script', `${mixed} letters are mixed`)
  const keyLength = characters(key)
  if (keyLength < 3 || keyLength > 96 || /[A-Z\s\p{Cc}]/u.test(key)) {
    return refused('character', 'has a letter that stands for several words')
  }
  return unlessReserved(name, key)
}

function unlessReserved(name: string, key: string): Ruled<Username> {
  if (RESERVED.has(key) || key.startsWith(ERASED_PREFIX)) return refused('reserved', 'this name is reserved')
  return accepted({ name, key })
}

/** Letters of these scripts look alike: a name of both is made to be taken for another. */
function mixedScripts(text: string): string | undefined {
  if (!/\p{Script=Latin}/u.test(text)) return undefined
  if (/\p{Script=Cyrillic}/u.test(text)) return 'Latin and Cyrillic'
  if (/\p{Script=Greek}/u.test(text)) return 'Latin and Greek'
  return undefined
}
