import { invalidInput } from '../request.ts'
import { both, type Comparison, type Condition, either, holds, likePattern, negated } from './partition-condition.ts'
import { type Token, tokenize } from './partition-tokens.ts'
import { type KeyType, type KeyValue, keyTypeOf, literalValue, partitionValue } from './partition-value.ts'

/** Name and Hive type of a table's partition key. */
export interface PartitionKey {
  readonly name: string
  readonly type: string
}

/** Whether a partition with these values is meant. */
export type PartitionFilter = (values: readonly string[]) => boolean

/** What Hive writes for a partition key without a value. */
export const DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** AWS's limit. */
const MAX_LENGTH = 2048

/**
 * The `Expression` of GetPartitions: comparisons of a partition key with a literal, `IN`, `BETWEEN`, `LIKE`, `IS NULL`, joined
 * by `AND`, `OR`, `NOT` and parentheses; words in any case; names plain, "quoted" or `back-quoted`. Comparison is typed by the
 * key. A value that is `__HIVE_DEFAULT_PARTITION__`, or no value of the key's type, is NULL; only `=`, `<>` and `IN` with that
 * very text still see it, because that is how engines ask for the partition of NULLs. An empty expression means all partitions.
 *
 * @throws AwsError InvalidInputException for anything that is not this grammar
 */
export function partitionFilter(expression: string, keys: readonly PartitionKey[]): PartitionFilter {
  if (expression.length > MAX_LENGTH) throw invalidInput(`Expression is longer than ${MAX_LENGTH} characters`)
  if (expression.trim() === '') return () => true
  const condition = new ExpressionReader(tokenize(expression), keys).whole()
  return (values) => condition(values) === true
}

type Operand = { readonly column: number } | { readonly literal: string }

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

class ExpressionReader {
  readonly #tokens: readonly Token[]
  readonly #keys: readonly PartitionKey[]
  readonly #types: readonly KeyType[]
  #at = 0

  constructor(tokens: readonly Token[], keys: readonly PartitionKey[]) {
    this.#tokens = tokens
    this.#keys = keys
    this.#types = keys.map((key) => keyTypeOf(key.type))
  }

  whole(): Condition {
    const condition = this.#or()
    const rest = this.#tokens[this.#at]
    if (rest) throw invalidInput(`Expression: unexpected ${rest.text}`)
    return condition
  }

  #or(): Condition {
    let left = this.#and()
    while (this.#word('or')) left = either(left, this.#and())
    return left
  }

  #and(): Condition {
    let left = this.#not()
    while (this.#word('and')) left = both(left, this.#not())
    return left
  }

  #not(): Condition {
    if (this.#word('not')) return negated(this.#not())
    if (this.#sign('(')) {
      const inner = this.#or()
      this.#expectSign(')')
      return inner
    }
    return this.#predicate()
  }

  #predicate(): Condition {
    const operand = this.#operand()
    const comparison = this.#comparison()
    if (comparison) {
      const other = this.#operand()
      if ('column' in operand && 'literal' in other) return this.#compare(operand.column, comparison, other.literal)
      if ('literal' in operand && 'column' in other) {
        return this.#compare(other.column, MIRRORED[comparison], operand.literal)
      }
      throw invalidInput('Expression: a partition key can only be compared with a literal')
    }
    if (!('column' in operand)) throw invalidInput(`Expression: ${operand.literal} is no condition`)
    return this.#rangeOrSet(operand.column)
  }

  #rangeOrSet(column: number): Condition {
    if (this.#word('is')) {
      const wantsValue = this.#word('not')
      this.#expectWord('null')
      return (values) => (this.#value(values, column) === null) !== wantsValue
    }
    const not = this.#word('not')
    const condition = this.#positive(column)
    return not ? negated(condition) : condition
  }

  #positive(column: number): Condition {
    if (this.#word('in')) {
      this.#expectSign('(')
      let any = this.#compare(column, '=', this.#literal())
      while (this.#sign(',')) any = either(any, this.#compare(column, '=', this.#literal()))
      this.#expectSign(')')
      return any
    }
    if (this.#word('between')) {
      const least = this.#compare(column, '>=', this.#literal())
      this.#expectWord('and')
      return both(least, this.#compare(column, '<=', this.#literal()))
    }
    if (this.#word('like')) {
      const matches = likePattern(this.#literal())
      return (values) => (this.#value(values, column) === null ? null : matches.test(values[column] ?? ''))
    }
    throw invalidInput(`Expression: a comparison is missing after ${this.#keys[column]?.name}`)
  }

  #compare(column: number, comparison: Comparison, literal: string): Condition {
    if (literal === DEFAULT_PARTITION && (comparison === '=' || comparison === '<>')) {
      return (values) => (values[column] === DEFAULT_PARTITION) === (comparison === '=')
    }
    const type = this.#types[column]!
    const wanted = literalValue(literal, type)
    if (wanted === null) {
      throw invalidInput(`Expression: '${literal}' is no value of ${this.#keys[column]?.name}, which is ${type.name}`)
    }
    return (values) => {
      const value = this.#value(values, column)
      return value === null ? null : holds(comparison, type.compare(value, wanted))
    }
  }

  #value(values: readonly string[], column: number): KeyValue | null {
    const text = values[column]
    if (text === undefined || text === DEFAULT_PARTITION) return null
    return partitionValue(text, this.#types[column]!)
  }

  #operand(): Operand {
    const token = this.#next()
    if (token.kind === 'string' || token.kind === 'number') return { literal: token.text }
    if (token.kind === 'sign') throw invalidInput(`Expression: unexpected ${token.text}`)
    if (token.kind === 'word' && /^(true|false)$/i.test(token.text)) return { literal: token.text }
    if (token.kind === 'word' && /^(date|timestamp)$/i.test(token.text) && this.#tokens[this.#at]?.kind === 'string') {
      return { literal: this.#next().text }
    }
    const column = this.#keys.findIndex((key) => key.name.toLowerCase() === token.text.toLowerCase())
    if (column < 0) throw invalidInput(`Expression: ${token.text} is no partition key of the table`)
    return { column }
  }

  #literal(): string {
    const operand = this.#operand()
    if ('literal' in operand) return operand.literal
    throw invalidInput('Expression: a literal is missing')
  }

  #comparison(): Comparison | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign') return undefined
    const sign = token.text === '!=' ? '<>' : token.text
    if (!Object.hasOwn(MIRRORED, sign)) return undefined
    this.#at += 1
    return sign as Comparison
  }

  #next(): Token {
    const token = this.#tokens[this.#at]
    if (!token) throw invalidInput('Expression: it ends too early')
    this.#at += 1
    return token
  }

  #word(word: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false
    this.#at += 1
    return true
  }

  #sign(sign: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== sign) return false
    this.#at += 1
    return true
  }

  #expectWord(word: string): void {
    if (!this.#word(word)) throw invalidInput(`Expression: ${word.toUpperCase()} is missing`)
  }

  #expectSign(sign: string): void {
    if (!this.#sign(sign)) throw invalidInput(`Expression: ${sign} is missing`)
  }
}
