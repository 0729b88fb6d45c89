import { invalidInput } from '../request.ts'

/**
 * An exclude pattern of a crawler as a regular expression over the key below the target. The rules are those AWS documents: `*` and
 * `?` stay within one folder, `**` does not, `[a-z]` and `[!a-z]` are one character, `{a,b}` alternatives, a backslash makes the next
 * character plain. A leading dot is a character like any other.
 *
 * @throws AwsError InvalidInputException when brackets or braces do not close
 */
export function exclusionGlob(glob: string): RegExp {
  const bad = () => invalidInput(`Exclusions: ${glob} is no valid pattern`)
  let source = ''
  let inBraces = false
  for (let at = 0; at < glob.length; at += 1) {
    const sign = glob.charAt(at)
    if (sign === '\\') {
      at += 1
      if (at === glob.length) throw bad()
      source += plain(glob.charAt(at))
    } else if (sign === '*') {
      let stars = 1
      while (glob.charAt(at + 1) === '*') {
        stars += 1
        at += 1
      }
      source += stars > 1 ? '.*' : '[^/]*'
    } else if (sign === '?') {
      source += '[^/]'
    } else if (sign === '[') {
      const end = glob.indexOf(']', at + 2)
      if (end < 0) throw bad()
      source += characters(glob.slice(at + 1, end))
      at = end
    } else if (sign === '{') {
      if (inBraces) throw bad()
      inBraces = true
      source += '(?:'
    } else if (sign === '}' && inBraces) {
      inBraces = false
      source += ')'
    } else if (sign === ',' && inBraces) {
      source += '|'
    } else {
      source += plain(sign)
    }
  }
  if (inBraces) throw bad()
  try {
    return new RegExp(`^${source}$`, 's')
  } catch {
    throw bad()
  }
}

const plain = (sign: string): string => sign.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')

function characters(content: string): string {
  const negated = content.startsWith('!')
  const inner = (negated ? content.slice(1) : content).replace(/[\\^[\]]/g, '\\$&')
  return `(?!/)[${negated ? '^' : ''}${inner}]`
}
