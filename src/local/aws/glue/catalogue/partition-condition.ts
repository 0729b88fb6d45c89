/** SQL's three values: null is unknown. */
export type Truth = boolean | null
/** What a condition says of a partition with these values. */
export type Condition = (values: readonly string[]) => Truth
export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

export const negated =
  (inner: Condition): Condition =>
  (values) => {
    const truth = inner(values)
    return truth === null ? null : !truth
  }

export const both =
  (left: Condition, right: Condition): Condition =>
  (values) => {
    const first = left(values)
    if (first === false) return false
    const second = right(values)
    if (second === false) return false
    return first === null || second === null ? null : true
  }

export const either =
  (left: Condition, right: Condition): Condition =>
  (values) => {
    const first = left(values)
    if (first === true) return true
    const second = right(values)
    if (second === true) return true
    return first === null || second === null ? null : false
  }

/** `order`: below 0, 0 or above 0, as the left value is smaller, equal or greater. */
export function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case '=':
      return order === 0
    case '<>':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

/** SQL's LIKE: `%` any text, `_` one character, backslash makes the next one plain. */
export function likePattern(pattern: string): RegExp {
  const source = pattern.replace(/\\(.)|([%_])|([\\^$.*+?()[\]{}|/-])/gsu, (_, escaped, wildcard, special) => {
    if (wildcard) return wildcard === '%' ? '.*' : '.'
    const plain: string = escaped ?? special
    return /[\\^$.*+?()[\]{}|/-]/u.test(plain) ? `\\${plain}` : plain
  })
  return new RegExp(`^${source.replace(/(?:\.\*)+/g, '.*')}$`, 'su')
}
