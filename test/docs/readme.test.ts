import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadSavedQueries } from '../../src/lake/athena/saved-queries.ts'
import { SETTINGS } from '../../src/settings.ts'
import { ROOT } from '../support/service.ts'
import { wholeDocument } from '../support/whole-document.ts'

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8')

/** The text under a heading, to the next one of the same or a higher level. */
function section(heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const [, after = ''] = readme.split(`\n${heading}\n`)
  return after.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? ''
}

/** For tests, for the commands among themselves, and for what is not there yet. */
const NOT_FOR_OPERATORS = ['FAULT', 'ROCKETGAMES_LOCAL']

describe('the README', () => {
  it('names every setting, and none that is not there', () => {
    const named = [...section('## Settings').matchAll(/^\| (.+?) \|/gm)].flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1] ?? ''),
    )
    expect(SETTINGS.length).toBeGreaterThan(40)
    expect(named.sort()).toEqual(SETTINGS.filter((name) => !NOT_FOR_OPERATORS.includes(name)).sort())
  })

  it('tells of each stage what docs/costs.md adds up', () => {
    const costs = readFileSync(path.join(ROOT, 'docs/costs.md'), 'utf8')
    const sums = [...costs.matchAll(/^## (\w+): ([\d.,]+) US dollars$/gm)].map(([, stage, sum = '']) => [
      stage,
      String(Math.round(Number(sum.replace(',', '')))),
    ])
    const told = [...section('## In AWS').matchAll(/^\| `(\w+)` \| .+ \| (\d+) USD \|$/gm)].map((row) => row.slice(1))
    expect(told).toHaveLength(3)
    expect(told.sort()).toEqual(sums.sort())
  })

  it('has every operation in its table', () => {
    const table = section('### Operations').replaceAll('{owners,studios,games,players,library}', '{resource}')
    const paths = Object.keys(wholeDocument().paths).map((each) =>
      each.replace(/^\/v1/, '').replace(/^\/imports\/\w+$/, '/imports/{resource}'),
    )
    const absent = paths.filter((each) => {
      const parts = each.split('/')
      const ends = parts.slice(1).map((_, index) => `…/${parts.slice(index + 1).join('/')}`)
      return ![each, ...ends].some((shown) => table.includes(`${shown}\``))
    })
    expect(paths.length).toBeGreaterThan(60)
    expect(absent).toEqual([])
  })

  it.each([
    ['## Ten Athena queries', 'snapshots'],
    ['## Curated tables', 'curated'],
  ] as const)('has the ten saved queries of its section %s, name by name and word by word', (heading, zone) => {
    const text = section(heading)
    const saved = loadSavedQueries(zone)
    expect(saved).toHaveLength(10)
    const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.*) \|$/gm)].map((row) => row.slice(1))
    const shown = saved.map(({ name, description, parameters }) => [
      name,
      description,
      parameters.map((each) => `\`${each.name}\` = ${each.default}`).join(', '),
    ])
    const byName = (a: readonly string[], b: readonly string[]) => (String(a[0]) < String(b[0]) ? -1 : 1)
    expect(rows.sort(byName)).toEqual(shown.sort(byName))
    const blocks = [...text.matchAll(/```sql\n-- \d+\. ([a-z-]+): (.+)\n([\s\S]+?)\n```/g)].map((block) =>
      block.slice(1),
    )
    expect(blocks.sort(byName)).toEqual(saved.map(({ name, title, runnable }) => [name, title, runnable]).sort(byName))
  })

  it('points only at files and headings that exist', () => {
    const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '')
    const anchors = [...readme.matchAll(/^#+ (.+)$/gm)].map(
      (match) => `#${(match[1] ?? '').toLowerCase().replaceAll(' ', '-')}`,
    )
    for (const target of targets.filter((each) => !each.startsWith('http'))) {
      if (target.startsWith('#')) expect(anchors).toContain(target)
      else expect(() => readFileSync(path.join(ROOT, target.split('#')[0] ?? '')), target).not.toThrow()
    }
  })
})
