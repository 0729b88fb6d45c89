import { type BulkItem, type BulkKey, duplicateOf } from '../accounts/bulk/bulk-item.ts'
import { pointerOfKey } from '../accounts/bulk/bulk-match.ts'
import { type AppError, invalid } from '../errors.ts'
import type { AnyTarget } from './import-target.ts'
import type { InputLine } from './input.ts'
import { unreadable } from './line-reader.ts'
import type { SeenKeys } from './seen-keys.ts'

/** A line after everything that needs no database: ready to be applied, or refused. */
export type CheckedLine = Place & ({ readonly item: BulkItem<unknown> } | { readonly error: AppError })

interface Place {
  /** Tells the lines of an input apart, from 1: the physical line, or in a JSON array the count of the element. */
  readonly number: number
  /** Physical. */
  readonly line: number
}

/** Validates a line, finds its key and remembers it. Lines must come in their order. */
export function checkLine(
  input: InputLine,
  target: AnyTarget,
  matchBy: string | undefined,
  seen: SeenKeys,
): CheckedLine {
  const { line, index } = input
  const number = index === undefined ? line : index + 1
  if ('error' in input) return { number, line, error: unreadable(input.error) }
  const checked = target.parse(input.value)
  if (!checked.ok) return { number, line, error: invalid(checked.errors) }
  const key = keyOf(target, checked.value, matchBy)
  if (key === undefined && matchBy !== undefined) {
    const detail = `matchBy=${matchBy} needs it in every line`
    return { number, line, error: invalid([{ pointer: pointerOfKey(matchBy), code: 'required', detail }]) }
  }
  const first = key && claimed(key, number, seen)
  if (first !== undefined) return { number, line, error: duplicateOf(first) }
  return { number, line, item: { number, line: checked.value, key } }
}

/** The earlier line that has one of the key's texts; if there is none, they are this line's from now on. */
function claimed({ name, texts }: BulkKey, number: number, seen: SeenKeys): number | undefined {
  for (const text of texts) {
    const first = seen.lineOf(`${name}:${text}`)
    if (first !== undefined) return first
  }
  for (const text of texts) seen.add(`${name}:${text}`, number)
  return undefined
}

function keyOf(target: AnyTarget, line: unknown, matchBy: string | undefined): BulkKey | undefined {
  for (const name of matchBy === undefined ? target.keys : [matchBy]) {
    const texts = target.keyTexts(line, name)
    if (texts.length > 0) return { name, texts }
  }
  return undefined
}
