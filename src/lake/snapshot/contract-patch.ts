import { isDeepStrictEqual } from 'node:util'
import type { Column, Dataset } from '../datasets.ts'

/** A piece of TypeScript for `datasets.ts`, and where it goes. */
export interface Patch {
  /** Entry of `datasets.ts`. */
  readonly entry: string
  /** `columns, at the end` · `columns, in place of website` · `columns, remove website` · `in place of version` · `at the end` */
  readonly place: string
  /** Empty where something is only removed. */
  readonly code: string
}

const WIDTH = 110

/** The changes that lead from one state of an entry to another, as pieces to paste. */
export function patchesOf(entry: string, before: Dataset, after: Dataset): Patch[] {
  const patches: Patch[] = []
  const old: Readonly<Record<string, Column>> = before.columns
  for (const [name, column] of Object.entries(after.columns)) {
    if (isDeepStrictEqual(old[name], column)) continue
    const place = name in old ? `columns, in place of ${name}` : 'columns, at the end'
    patches.push({ entry, place, code: `${member(name, column)},` })
  }
  for (const name of Object.keys(old).filter((each) => !(each in after.columns))) {
    patches.push({ entry, place: `columns, remove ${name}`, code: '' })
  }
  if (before.version !== after.version) {
    patches.push({ entry, place: 'in place of version', code: `version: ${after.version},` })
  }
  for (const key of ['earlier', 'retired'] as const) {
    if (after[key] === undefined || isDeepStrictEqual(before[key], after[key])) continue
    const place = before[key] === undefined ? 'at the end' : `in place of ${key}`
    patches.push({ entry, place, code: `${member(key, after[key])},` })
  }
  return patches
}

/** As it is printed: a comment that says where, then the code. */
export function patchText({ entry, place, code }: Patch): string {
  return `// datasets.ts, ${entry}, ${place}${code === '' ? '' : `:\n${code}`}`
}

function member(name: string, value: unknown): string {
  return `${key(name)}: ${literal(value)}`
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name)
}

function text(value: string): string {
  if (value.includes("'") && !value.includes('"') && !value.includes('\\')) return `"${value}"`
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** A value as TypeScript, on one line where it fits. */
export function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return text(value)
  if (value === null || typeof value !== 'object') return String(value)
  const inner = `${indent}  `
  const list = Array.isArray(value)
  const parts = list
    ? value.map((each) => literal(each, inner))
    : Object.entries(value).map(([name, each]) => `${key(name)}: ${literal(each, inner)}`)
  const [open, close] = list ? ['[', ']'] : ['{', '}']
  const pad = list ? '' : ' '
  const line = `${open}${pad}${parts.join(', ')}${pad}${close}`
  if (line.length <= WIDTH && !line.includes('\n')) return line
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close}`
}
