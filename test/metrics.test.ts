import { expect, it } from 'vitest'
import { Metrics } from '../src/metrics.ts'

it('tells what the process holds open without listing handles or requests, which can abort it', async () => {
  const names = (await new Metrics().registry.getMetricsAsJSON()).map(({ name }) => name)
  expect(names).toContain('nodejs_active_resources_total')
  expect(names.filter((name) => /^nodejs_active_(handles|requests)/.test(name))).toEqual([])
})
