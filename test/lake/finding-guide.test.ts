import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { FINDING_GUIDE, type FindingCode } from '../../src/lake/finding-guide.ts'

const FINDING_CODES = Object.keys(FINDING_GUIDE) as FindingCode[]
const LAKE = path.resolve(import.meta.dirname, '../../src/lake')
const sources = readdirSync(LAKE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'finding-guide.ts')
  .map((file) => readFileSync(path.join(LAKE, file), 'utf8'))
  .join('\n')

describe('the guide to findings', () => {
  it('says of every code what is wrong and what to do, in sentences', () => {
    for (const code of FINDING_CODES) {
      const { next, what } = FINDING_GUIDE[code]
      expect(code).toMatch(/^[a-z]+(_[a-z]+)+$/)
      for (const text of [what, next]) expect(text, code).toMatch(/^["A-Z].*\.$/)
    }
  })

  it('stands in the guide for operators as it is here', () => {
    const guide = readFileSync(path.resolve(LAKE, '../../docs/snapshots.md'), 'utf8')
    const rows = FINDING_CODES.map(
      (code) => `| \`${code}\` | ${FINDING_GUIDE[code].what} | ${FINDING_GUIDE[code].next} |`,
    )
    expect(rows.filter((row) => !guide.includes(row))).toEqual([])
  })

  it('has no code that nothing gives', () => {
    // That it lacks none is the compiler's to say: a finding's code is one of these.
    expect(FINDING_CODES.filter((code) => !sources.includes(`'${code}'`))).toEqual([])
  })
})
