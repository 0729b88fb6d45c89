import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { FINDING_GUIDE } from '../../src/lake/finding-guide.ts'
import { guideOf, PROBLEM_GUIDE } from '../../src/lake/problem-guide.ts'
import { ROOT } from '../support/service.ts'

const folder = path.join(ROOT, 'src/lake')
/** Without the lists of the codes themselves: what is left is where they are thrown. */
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'problem-guide.ts')
  .map((file) => readFileSync(path.join(folder, file), 'utf8').split('export interface LakeProblemFacts').at(-1) ?? '')

test('every code that a snapshot can fail with says what happened and what to do, and each is one that can come', () => {
  for (const [code, { next, what }] of Object.entries(PROBLEM_GUIDE)) {
    expect(what, code).toMatch(/^[A-Z].+\.$/)
    expect(next, code).toMatch(/\.$/)
    expect(
      sources.some((source) => source.includes(`'${code}'`)),
      `${code} is thrown nowhere`,
    ).toBe(true)
  }
})

test('every code that is stored or thrown in words is known', () => {
  const thrown = sources.flatMap((source) => [
    ...[...source.matchAll(/new LakeProblem\(\s*'([a-z_]+)'/g)].map((match) => match[1] ?? ''),
    ...[...source.matchAll(/problem: \{\s*code: '([a-z_]+)'/g)].map((match) => match[1] ?? ''),
  ])
  expect(thrown.length).toBeGreaterThan(30)
  expect(thrown.filter((code) => !Object.hasOwn(PROBLEM_GUIDE, code))).toEqual([])
})

test.each([
  ['problem', PROBLEM_GUIDE],
  ['finding', FINDING_GUIDE],
] as const)('the guide of the operator has a row for each %s, with the same words', (_, guide) => {
  const text = readFileSync(path.join(ROOT, 'docs/snapshots.md'), 'utf8')
  const rows = Object.entries(guide).map(([code, { next, what }]) => `| \`${code}\` | ${what} | ${next} |`)
  expect(rows.length).toBeGreaterThan(30)
  expect(rows.filter((row) => !text.includes(row))).toEqual([])
})

test('a code of another version is treated as something that nobody expected', () => {
  expect(guideOf('no_such_code')).toBe(PROBLEM_GUIDE.internal)
  expect(guideOf('constructor')).toBe(PROBLEM_GUIDE.internal)
})
