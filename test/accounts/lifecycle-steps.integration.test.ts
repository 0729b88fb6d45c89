import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Scope } from '../../src/caller.ts'
import { createTestApi, newOwner, newStudio, type TestApi } from '../support/api.ts'
import { newGame, newPlayer } from '../support/records.ts'

let api: TestApi

beforeAll(async () => {
  api = await createTestApi()
})
afterAll(() => api.close())

it('steps are listed for callers who may make them, and for nobody else', async () => {
  const records: readonly [path: string, read: Scope, step: Scope][] = [
    [`/v1/studios/${(await newStudio(api)).id}`, 'studios:read', 'studios:write'],
    [`/v1/owners/${(await newOwner(api)).id}`, 'owners:read', 'owners:write'],
    [`/v1/games/${(await newGame(api)).id}`, 'games:read', 'games:transition'],
    [`/v1/players/${(await newPlayer(api)).id}`, 'players:read', 'players:write'],
  ]
  for (const [path, read, step] of records) {
    const steps = async (...scopes: Scope[]) =>
      (await api.as(await api.token(...scopes)).get(`${path}/transitions`)).body
    const all = await steps(read, step)
    expect(all.allowed.length, path).toBeGreaterThan(0)
    expect(await steps(read), path).toEqual({ status: all.status, allowed: [] })
    expect((await steps(step)).scope, path).toBe(read)
  }
  const [game] = records.filter(([, read]) => read === 'games:read')
  const editor = api.as(await api.token('games:read', 'games:write'))
  expect((await editor.get(`${game?.[0]}/transitions`)).body.allowed).toEqual([])
})
