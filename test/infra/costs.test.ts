import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { costDocument, total, USAGE } from '../../infra/costs/cost-document.ts'
import { monthlyCosts, startsAMonth } from '../../infra/costs/monthly-costs.ts'
import { rolesOf } from '../../infra/generate-roles.ts'
import { ROOT } from '../../infra/root.ts'
import { STAGES } from '../../infra/stages.ts'
import { synthesized } from '../support/infra.ts'

const stages = STAGES.map((settings) => ({
  settings,
  resources: rolesOf(synthesized(settings.name).stage).access.resources,
}))
const document = readFileSync(path.join(ROOT, 'docs/costs.md'), 'utf8')
const sectionOf = (stage: string) => document.split(`\n## ${stage}: `)[1]?.split('\n## ')[0] ?? ''
const cents = (text: string | undefined) => Math.round(Number(text) * 100)

describe('docs/costs.md', () => {
  it('is what the templates and the assumptions say: npm run generate:costs', () => {
    expect(document).toBe(costDocument(stages))
  })

  it.each(STAGES)('adds up for $name: lines, groups, total and heading', ({ name }) => {
    const section = sectionOf(name)
    const lines = [...section.matchAll(/^\| ([A-Z][^|]*) \|.* \| ([\d.]+) \| ([\d.e-]+) per .* \| ([\d.]+) \|$/gm)]
    expect(lines.length).toBeGreaterThan(20)
    const sum = lines.reduce((all, line) => all + cents(line[4]), 0)
    for (const [, , quantity, price, usd] of lines) {
      // Quantities are printed with four digits.
      expect(Math.abs(Number(quantity) * Number(price) - Number(usd))).toBeLessThanOrEqual(0.01 + Number(usd) * 0.001)
    }
    const [, groups = '', all] = /^([A-Z].* [\d.]+) = \*\*([\d.]+)\*\*$/m.exec(section) ?? []
    expect(groups.split(' + ').reduce((part, each) => part + cents(each.split(' ').at(-1)), 0)).toBe(sum)
    expect(cents(all)).toBe(sum)
    expect(cents(/^([\d.]+) US dollars/.exec(section)?.[1])).toBe(sum)
  })

  it('stays below the budget that warns, by a fifth at least for what eu-central-1 costs more', () => {
    for (const { settings, resources } of stages) {
      const usd = total(monthlyCosts(settings, resources, USAGE[settings.name]))
      expect(1.2 * usd, settings.name).toBeLessThan(settings.budgetUsd)
      expect(usd, settings.name).toBeGreaterThan(settings.budgetUsd / 4)
    }
  })

  it.each([
    ['0 2 * * *', 30.4],
    ['0 */6 * * *', 121.7],
    ['0 2 * * 1', 4.3],
  ])('counts the starts of %s in a month: %d', (cron, starts) => {
    expect(startsAMonth(cron)).toBeCloseTo(starts, 1)
  })
})
