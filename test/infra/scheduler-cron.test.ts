import { describe, expect, it } from 'vitest'
import { schedulerCron } from '../../infra/constructs/scheduler-cron.ts'
import { STAGES } from '../../infra/stages.ts'

describe('a pattern of LAKE_SCHEDULE for EventBridge', () => {
  it.each([
    ['0 2 * * *', 'cron(0 2 * * ? *)'],
    ['*/15 8-18 * * *', 'cron(*/15 8-18 * * ? *)'],
    ['0 */6 1,15 * *', 'cron(0 */6 1,15 * ? *)'],
    ['30 4 * jan,jul *', 'cron(30 4 * JAN,JUL ? *)'],
  ])('%s keeps its fields and has a ? for the day that it leaves open', (pattern, expected) => {
    expect(schedulerCron(pattern)).toBe(expected)
  })

  it.each([
    ['0 2 * * 0', 'SUN'],
    ['0 2 * * 7', 'SUN'],
    ['0 2 * * 1-5', 'MON,TUE,WED,THU,FRI'],
    ['0 2 * * mon,thu', 'MON,THU'],
    ['0 2 * * 6-7', 'SUN,SAT'],
    ['0 2 * * fri-sun', 'SUN,FRI,SAT'],
    ['0 2 * * */2', 'SUN,TUE,THU,SAT'],
    ['0 2 * * 2/2', 'TUE,THU,SAT'],
  ])('%s names its days: 0 is Sunday in cron, 1 in EventBridge', (pattern, days) => {
    expect(schedulerCron(pattern)).toBe(`cron(0 2 ? * ${days} *)`)
  })

  it.each(['0 2 1 * 1', '0 2 * *', '0 2 * * * *', '0 2 L * *', '0 2 * * 8', '0 2 * * MOO', '@daily', ''])(
    '%j is refused: EventBridge would take it otherwise or not at all',
    (pattern) => {
      expect(() => schedulerCron(pattern)).toThrow()
    },
  )

  it('is found for every stage', () => {
    for (const { snapshot } of STAGES) expect(schedulerCron(snapshot.cron)).toMatch(/^cron\(/)
  })
})
