import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { AnswersEngine, haveAnswers, readCases } from './answers-engine.ts'
import { judge } from './answers-judge.ts'

/** Every n-th query of the recorded ones, and all that analysts ask. All of them: `node answers-score.ts`. */
const STRIDE = 5

interface Score {
  readonly right: readonly string[]
  readonly silentlyWrong: readonly string[]
}

describe.skipIf(!haveAnswers)('the recorded answers of a real Trino', () => {
  const score = JSON.parse(readFileSync(new URL('answers-score.json', import.meta.url), 'utf8')) as Score
  const engine = haveAnswers ? new AnswersEngine() : undefined
  afterAll(() => engine?.close())

  const right = new Set(score.right)
  const known = new Set(score.silentlyWrong)
  const cases = haveAnswers
    ? readCases().filter((c, i) => c.category === 'analyst' || known.has(c.id) || i % STRIDE === 0)
    : []

  it.each([...new Set(cases.map((c) => c.category))])('are given again, none silently wrong: %s', async (category) => {
    const faults: string[] = []
    for (const c of cases.filter((x) => x.category === category)) {
      const { verdict, why } = judge(c, await engine!.answer(c.sql))
      if ((verdict === 'WRONG' || verdict === 'LENIENT') && !known.has(c.id))
        faults.push(`silently wrong: ${c.id} ${why}`)
      else if (right.has(c.id) && verdict !== 'right') faults.push(`no longer right: ${c.id} ${why}`)
    }
    expect(faults).toEqual([])
  })

  it('are enough to say something', () => {
    expect(cases.length).toBeGreaterThan(400)
    expect(score.silentlyWrong).toEqual([])
  })
})
