import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/caller.ts'
import { personalScope } from '../../src/http/visibility.ts'
import { type MarkedApi, markedApi } from '../support/marked-api.ts'

let marked: MarkedApi

beforeAll(async () => {
  marked = await markedApi()
})
afterAll(() => marked.api.close())

describe('a key with one of the two scopes for personal data', () => {
  it.each(['players:read.personal', 'owners:read.personal'] as const)(
    'but without %s is shown none of what that opens: read, embedded or exported',
    async (missing) => {
      const key = marked.api.as(await marked.api.token(...SCOPES.filter((scope) => scope !== missing)))
      const values = marked.markers.filter(({ table, hidden }) => !hidden && personalScope(table) === missing)
      // Countries and times are the same of players and owners.
      const closed = values.map(({ value }) => value).filter((value) => value.startsWith('zqmark'))
      const open = marked.markers.filter((marker) => !values.includes(marker) && !marker.hidden)
      expect(closed.length * open.length).toBeGreaterThan(0)
      let seen = ''
      for (const { path, view, produces } of marked.routes) {
        if (view === undefined) continue
        const address = marked.addressOf(path)
        const expansions = Object.keys(view.expand ?? {}).map((name) => `?expand=${name}`)
        for (const query of ['', ...expansions]) {
          const { text = '' } = await key.get(`${address}${query}`)
          expect(
            closed.filter((value) => text.includes(value)),
            `${address}${query}`,
          ).toEqual([])
          seen += text
        }
        for (const type of (produces ?? []).filter((each) => each !== 'application/json')) {
          const { text = '' } = await key.get(address).set('Accept', type).buffer(true)
          expect(
            closed.filter((value) => text.includes(value)),
            `${address} as ${type}`,
          ).toEqual([])
        }
        for (const { field } of values.filter(({ table }) => table === view.table)) {
          const answer = await key.get(`${address}?fields=${field}`)
          expect([answer.status, answer.body.scope], `${address}?fields=${field}`).toEqual([403, missing])
        }
      }
      // The other half is there, so what was looked at could have shown this one.
      expect(open.some(({ value }) => value.startsWith('zqmark') && seen.includes(value))).toBe(true)
    },
  )
})
