import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../support/service.ts'

/** An example of a guide: what is run, and the answer that the guide shows after it. */
export interface Example {
  readonly guide: string
  readonly line: number
  readonly language: 'sh' | 'ts'
  readonly code: string
  readonly shown: { readonly language: string; readonly text: string } | undefined
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm
const SHOWN = ['json', 'ndjson', 'text']

/** The examples of a guide, in its order. */
export function examplesOf(guide: string): Example[] {
  const text = readFileSync(path.join(ROOT, 'docs', `${guide}.md`), 'utf8')
  const blocks = [...text.matchAll(FENCE)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }))
  return blocks.flatMap(({ language, text: code, line }, index) => {
    if (language !== 'sh' && language !== 'ts') return []
    const next = blocks[index + 1]
    const shown = next !== undefined && SHOWN.includes(next.language) ? next : undefined
    return [{ guide, line, language, code, shown }]
  })
}

/** The blocks of one language in a file of the project, or in the section that a heading begins and the next of its level ends. */
export function blocksOf(file: string, language: string, heading?: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  const level = /^#+ /.exec(heading ?? '')?.[0] ?? ''
  const part = heading === undefined ? text : (text.split(`\n${heading}\n`)[1]?.split(`\n${level}`)[0] ?? '')
  return [...part.matchAll(FENCE)].flatMap(([, of, code = '']) => (of === language ? [code] : []))
}

/** Where an answer differs from what the guide shows; `…` stands for anything, and a shown object may leave fields out. */
export function difference(shown: NonNullable<Example['shown']>, actual: string): string | undefined {
  if (shown.language === 'text') return textDifference(shown.text, actual)
  if (shown.language === 'json') return valueDifference(JSON.parse(shown.text), parsed(actual), '')
  const expected = shown.text.trim().split('\n')
  const lines = actual.trim().split('\n')
  if (lines.length !== expected.length) return `${lines.length} lines in place of ${expected.length}`
  return expected
    .map((line, index) => valueDifference(JSON.parse(line), parsed(lines[index] ?? ''), `line ${index + 1}`))
    .find((each) => each !== undefined)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function textDifference(shown: string, actual: string): string | undefined {
  const clean = actual.replaceAll('\r', '').trim()
  const pattern = shown
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.+')
  return new RegExp(`^${pattern}$`).test(clean) ? undefined : `the output is ${clean}`
}

function valueDifference(shown: unknown, actual: unknown, place: string): string | undefined {
  if (shown === '…') return actual === undefined ? `${place} is absent` : undefined
  if (Array.isArray(shown) && shown.length === 1 && shown[0] === '…') {
    return Array.isArray(actual) && actual.length > 0 ? undefined : `${place} is no list`
  }
  if (typeof shown !== 'object' || shown === null) {
    return shown === actual ? undefined : `${place} is ${JSON.stringify(actual)}, not ${JSON.stringify(shown)}`
  }
  if (typeof actual !== 'object' || actual === null) return `${place} is ${JSON.stringify(actual)}`
  if (Array.isArray(shown) && (actual as unknown[]).length !== shown.length) return `${place} has another length`
  return Object.entries(shown)
    .map(([name, value]) => valueDifference(value, (actual as Record<string, unknown>)[name], `${place}/${name}`))
    .find((each) => each !== undefined)
}
