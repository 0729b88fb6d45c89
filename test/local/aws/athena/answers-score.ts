/**
 * Prints the score by category: `node test/local/aws/athena/answers-score.ts [--only CATEGORY|ID,…] [--show VERDICT,…] [--save FILE]`.
 * `--save` writes the verdict of every query, the list the test holds the score against.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AnswersEngine, readCases } from './answers-engine.ts'
import { judge, type Verdict } from './answers-judge.ts'

const { values } = parseArgs({
  options: { only: { type: 'string' }, show: { type: 'string', default: 'WRONG,LENIENT' }, save: { type: 'string' } },
})
const only = values.only?.split(',')
const show = values.show.split(',')
const cases = readCases().filter((c) => only === undefined || only.includes(c.category) || only.includes(c.id))
const engine = new AnswersEngine()
const table = new Map<string, Record<Verdict | 'n', number>>()
const verdicts: Record<string, Verdict> = {}
const started = Date.now()
for (const c of cases) {
  const { verdict, why } = judge(c, await engine.answer(c.sql))
  verdicts[c.id] = verdict
  for (const key of [c.category, 'TOTAL']) {
    const line = table.get(key) ?? { n: 0, right: 0, refused: 0, code: 0, WRONG: 0, LENIENT: 0 }
    line.n++
    line[verdict]++
    table.set(key, line)
  }
  if (show.includes(verdict))
    console.log(`${verdict} ${c.id}\n    ${c.sql.replaceAll('\n', ' ').slice(0, 400)}\n    ${why.slice(0, 300)}`)
}
engine.close()
if (values.save !== undefined) {
  const right = Object.keys(verdicts)
    .filter((id) => verdicts[id] === 'right')
    .sort()
  writeFileSync(
    values.save,
    `${JSON.stringify({ right, silentlyWrong: Object.keys(verdicts).filter((id) => verdicts[id] === 'WRONG' || verdicts[id] === 'LENIENT') }, null, 1)}\n`,
  )
}
const columns = ['n', 'right', 'refused', 'code', 'WRONG', 'LENIENT'] as const
console.log(`${'category'.padEnd(18)}${columns.map((x) => x.padStart(9)).join('')}  right %`)
for (const [key, line] of [...table].sort(([a], [b]) => (a === 'TOTAL' ? 1 : b === 'TOTAL' ? -1 : a < b ? -1 : 1)))
  console.log(
    `${key.padEnd(18)}${columns.map((x) => String(line[x]).padStart(9)).join('')}  ${((100 * line.right) / line.n).toFixed(1)}`,
  )
console.log(`${((Date.now() - started) / 1000).toFixed(0)} s`)
