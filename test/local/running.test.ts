import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identify } from '../../src/local/process-identity.ts'
import { announceRunning, forgetRunning, whenReady } from '../../src/local/running.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-running-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const running = (ready: boolean) => ({ process: identify(), ready, values: {} })

/** How often it was said that there is to wait, and whether the wait is over. */
function waiting() {
  const state = { said: 0, over: false, ended: Promise.resolve() }
  const said = Promise.withResolvers<void>()
  state.ended = whenReady(dir, () => {
    state.said++
    said.resolve()
  }).then(() => {
    state.over = true
  })
  return { state, said: said.promise }
}

describe('a command on a data folder', () => {
  it('goes on at once where nothing runs, or what runs has done its first steps', async () => {
    const nothing = waiting()
    await nothing.state.ended
    announceRunning(dir, running(true))
    const ready = waiting()
    await ready.state.ended
    expect([nothing.state.said, ready.state.said]).toEqual([0, 0])
  })

  it.each([
    ['has done them', () => announceRunning(dir, running(true))],
    ['has ended', () => forgetRunning(dir)],
    ['was killed', () => announceRunning(dir, { ...running(false), process: { ...identify(), startedAt: 'before' } })],
  ])('waits for the first steps of a start, and says so once, until it %s', async (_, then) => {
    announceRunning(dir, running(false))
    const { state, said } = waiting()
    await said
    expect(state.over).toBe(false)
    then()
    await state.ended
    expect(state.said).toBe(1)
  })
})
