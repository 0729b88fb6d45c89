import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Metrics } from '../../src/metrics.ts'
import { registerServiceMetrics } from '../../src/telemetry/service-metrics.ts'
import { ROOT, run } from '../support/service.ts'
import { blocksOf } from './guide-blocks.ts'

const read = (name: string) => readFileSync(path.join(ROOT, 'docs', `${name}.md`), 'utf8')
const PAGES = ['observability', 'operations', 'deploy'] as const

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const withoutCode = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const headings = [...withoutCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((each) =>
      each
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

describe.each(PAGES)('docs/%s.md', (page) => {
  it('links only to pages and sections that exist', () => {
    const broken = [...read(page).matchAll(/\]\(([a-z-]+\.md)?(#[^)]+)?\)/g)].flatMap(([link, file, anchor]) => {
      const target = file === undefined ? page : file.replace(/\.md$/, '')
      if (!existsSync(path.join(ROOT, 'docs', `${target}.md`))) return [link]
      return anchor === undefined || anchorsOf(read(target)).has(anchor.slice(1)) ? [] : [link]
    })
    expect(broken).toEqual([])
  })
})

it('what the runbook has to type is read by a shell', async () => {
  const blocks = blocksOf('docs/operations.md', 'bash')
  expect(blocks.length).toBeGreaterThan(8)
  for (const block of blocks) {
    const { code, stderr } = await run('bash', ['-n', '-c', block])
    expect(code, `${block}\n${stderr}`).toBe(0)
  }
})

describe('the tables of metrics', () => {
  it('name every metric of the service', async () => {
    const metrics = new Metrics()
    registerServiceMetrics(metrics.registry, {
      read: () => Promise.reject(new Error('away')),
      pool: () => ({ total: 0, idle: 0, waiting: 0 }),
      ...{ version: '1', stage: 'x' },
    })
    const text = read('observability')
    const own = metrics.registry.getMetricsAsArray().map(({ name }) => name)
    expect(own.length).toBeGreaterThan(10)
    expect(own.filter((name) => !/^(process|nodejs)_/.test(name) && !text.includes(`\`${name}`))).toEqual([])
  })

  it('name every metric that is written for CloudWatch', () => {
    const sources = ['src/commands/watched-metrics.ts', 'src/telemetry/metric-reporter.ts']
    const written = sources.flatMap((file) => [
      ...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/(?:metric\(|name: )'([A-Z]\w+)'/g),
    ])
    const names = written.map(([, name = '']) => name)
    expect(names).toHaveLength(16)
    expect(names.filter((name) => !read('observability').includes(`\`${name}\``))).toEqual([])
  })
})
