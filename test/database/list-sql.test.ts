import { describe, expect, it } from 'vitest'
import { pageFrom } from '../../src/database/list-page.ts'
import { escapeLike, listSql, wholeListSql } from '../../src/database/list-sql.ts'
import type { ListRequest, ListSpec } from '../../src/list.ts'

const spec: ListSpec = {
  table: 'player_game',
  idField: 'id',
  filters: {
    platform: { kind: 'enum', operators: ['eq', 'in'], values: ['web'], sqlType: 'platform' },
    provider: { kind: 'text', operators: ['eq'], column: 'player_id' },
  },
  sorts: { acquiredAt: { kind: 'timestamp' }, lastPlayedAt: { kind: 'timestamp', nullable: true } },
  defaultSort: '-acquiredAt',
}

function request(changes: Partial<ListRequest> = {}): ListRequest {
  const sort = [{ field: 'acquiredAt', descending: true }]
  return { filters: [], search: undefined, sort, position: undefined, limit: 2, ...changes }
}

const at = (values: (string | null)[], backward = false) => ({ values, id: 'row', backward })

describe('a list as SQL', () => {
  it('seeks by one comparison of rows where the order allows, so that an index starts there', () => {
    const { text, values } = listSql({ spec }, request({ position: at(['2026']) }))
    expect(text).toContain('WHERE (t.acquired_at, t.id) < ($1::timestamptz, $2::uuid)')
    expect(text).toContain('ORDER BY t.acquired_at DESC, t.id DESC LIMIT 3')
    expect(values).toEqual(['2026', 'row'])
  })

  it('turns around for the page before', () => {
    const { text } = listSql({ spec }, request({ position: at(['2026'], true) }))
    expect(text).toContain('> ($1::timestamptz, $2::uuid) ORDER BY t.acquired_at ASC, t.id ASC')
  })

  it('keeps NULL last in both directions, also behind it', () => {
    const sort = [{ field: 'lastPlayedAt', descending: true }]
    const seek = (value: string | null, backward = false) =>
      listSql({ spec }, request({ sort, position: at([value], backward) })).text
    const whole = 'ORDER BY t.last_played_at DESC NULLS LAST, t.id DESC LIMIT 3'
    // Ranges that an index can start at, whichever way it lies: no comparison spans values and NULLs, and no range has both.
    const own = 'ORDER BY t.last_played_at DESC, t.id DESC LIMIT 3'
    expect(listSql({ spec }, request({ sort })).text).toContain(
      `WHERE t.last_played_at IS NOT NULL ${own}) UNION ALL (SELECT`,
    )
    expect(seek('2026')).toContain(`WHERE (t.last_played_at, t.id) < ($1::timestamptz, $2::uuid) ${own}) UNION ALL`)
    expect(seek('2026')).toContain(`WHERE t.last_played_at IS NULL ${own})) t ${whole}`)
    expect(seek('2026', true)).toContain('WHERE (t.last_played_at, t.id) > ($1::timestamptz, $2::uuid) ORDER')
    expect(seek(null, true)).toContain('WHERE t.last_played_at IS NULL AND (t.id) > ($1::uuid) ORDER')
    expect(seek(null, true)).toContain('UNION ALL')
    const amongNull = listSql({ spec }, request({ sort, position: at([null]) }))
    expect(amongNull.text).toContain('WHERE t.last_played_at IS NULL AND (t.id) < ($1::uuid) ORDER')
    expect(amongNull.values).toEqual(['row'])
  })

  it('starts at the first key where the others go another way', () => {
    const sort = [
      { field: 'acquiredAt', descending: true },
      { field: 'lastPlayedAt', descending: false },
    ]
    const { text } = listSql({ spec }, request({ sort, position: at(['2026', null]) }))
    expect(text).toContain('WHERE t.acquired_at <= $1::timestamptz AND ((t.acquired_at < $1::timestamptz) OR')
    expect(text).toContain('(t.acquired_at = $1::timestamptz AND t.last_played_at IS NULL AND t.id > $2::uuid))')
    expect(text).toContain('ORDER BY t.acquired_at DESC, t.last_played_at ASC NULLS LAST, t.id ASC')
  })

  it('as a whole has neither limit nor seek', () => {
    const sort = [{ field: 'lastPlayedAt', descending: false }]
    const { text, values } = wholeListSql({ spec }, request({ sort, position: at(['2026']) }))
    expect(text).toMatch(/FROM player_game t ORDER BY t\.last_played_at ASC NULLS LAST, t\.id ASC$/)
    expect(values).toEqual([])
  })

  it('asks for the other values of an enum, which an index knows, not for all but one', () => {
    const asked: ListSpec = {
      ...spec,
      filters: { platform: { kind: 'enum', operators: ['ne'], values: ['web', 'ios', 'macos'], sqlType: 'platform' } },
    }
    const filters = [{ field: 'platform', operator: 'ne', value: 'web' }] as const
    const { text, values } = listSql({ spec: asked }, request({ filters }))
    expect(text).toContain('WHERE t.platform = ANY($1::platform[]) ORDER')
    expect(values).toEqual([['ios', 'macos']])
  })

  it('has every value as a parameter, also in conditions of its own', () => {
    const evil = "'; DROP TABLE player; --"
    const filters = [
      { field: 'platform', operator: 'in', value: ['web', evil] },
      { field: 'provider', operator: 'eq', value: evil },
    ] as const
    const conditions = { provider: (_: unknown, bound: () => string) => `EXISTS (SELECT 1 WHERE x = ${bound()})` }
    const fixed = [{ column: 'player_id', value: evil, sqlType: 'uuid' }]
    const { text, values } = listSql({ spec, conditions, fixed }, request({ filters }))
    expect(text).not.toContain('DROP')
    expect(text).toContain('t.player_id = $1::uuid AND t.platform = ANY($2::platform[]) AND EXISTS')
    expect(values).toEqual([evil, ['web', evil], evil])
  })

  it('asks for one of one value as for that value', () => {
    const filters = [{ field: 'platform', operator: 'in', value: ['web'] }] as const
    expect(listSql({ spec }, request({ filters })).text).toContain('WHERE t.platform = $1::platform ORDER')
  })

  it('knows the characters of LIKE', () => {
    expect(escapeLike('100%_\\')).toBe('100\\%\\_\\\\')
  })
})

describe('a page', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id, acquiredAt: new Date(0) }))

  it('knows what follows by the row too many', () => {
    const page = pageFrom(spec, request(), rows)
    expect(page.rows.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(page.next).toEqual({ values: ['1970-01-01T00:00:00.000Z'], id: 'b', backward: false })
    expect(page.previous).toBeUndefined()
    expect(pageFrom(spec, request(), rows.slice(1)).next).toBeUndefined()
  })

  it('read backwards is turned around', () => {
    const page = pageFrom(spec, request({ position: at(['x'], true) }), rows)
    expect(page.rows.map(({ id }) => id)).toEqual(['b', 'a'])
    expect(page.previous).toMatchObject({ id: 'b', backward: true })
    expect(page.next).toMatchObject({ id: 'a', backward: false })
  })
})
