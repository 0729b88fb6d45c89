import { expect, it } from 'vitest'
import { ToldReasons } from '../../src/jobs/told-reasons.ts'

it('a reason is told when it changes, and once in a while as long as it lasts', () => {
  let now = 0
  const told = new ToldReasons(60_000, () => now)
  const at = (ms: number, reason: string) => {
    now = ms
    return told.isNew(reason)
  }
  expect([at(0, 'away'), at(1_000, 'away'), at(59_999, 'away')]).toEqual([true, false, false])
  expect([at(60_000, 'away'), at(61_000, 'away')]).toEqual([true, false])
  expect([at(62_000, 'refused'), at(63_000, 'refused'), at(64_000, 'away')]).toEqual([true, false, true])
})
