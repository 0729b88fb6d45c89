import { describe, expect, it } from 'vitest'
import { refusals } from '../../../src/accounts/writing/refusals.ts'
import { changedFields, requireVersion } from '../../../src/accounts/writing/version.ts'
import { explained } from '../../../src/accounts/writing/write-service.ts'
import { ConstraintError } from '../../../src/database/constraint-errors.ts'
import { constraints } from '../../../src/database/constraints.ts'

describe('a refusal of the database', () => {
  it('is told by a rule that exists', () => {
    expect(Object.keys(refusals).filter((name) => !Object.hasOwn(constraints, name))).toEqual([])
  })

  it('becomes the problem of its rule', () => {
    const refused = new ConstraintError({ kind: 'check', constraint: 'studio_has_owner', sqlState: '23514' })
    expect(explained(refused)).toMatchObject({ code: 'last-owner', cause: refused })
    const taken = new ConstraintError({ kind: 'unique', constraint: 'studio_slug_key', sqlState: '23505' })
    expect(explained(taken)).toMatchObject({ code: 'slug-taken', errors: [{ pointer: '/slug', code: 'slug-taken' }] })
  })

  it('by a rule that validation keeps callers away from stays a defect', () => {
    const defect = new ConstraintError({ kind: 'check', constraint: 'studio_name_valid', sqlState: '23514' })
    expect(explained(defect)).toBe(defect)
  })

  it('says for every unique rule which field is taken, unless it is a primary key', () => {
    const unique = Object.entries(constraints).filter(
      ([name, rule]) => rule.kind === 'unique' && !name.endsWith('_pkey'),
    )
    const owned = unique.filter(([, rule]) => ['studio', 'studio_owner'].includes(rule.table))
    expect(owned.length).toBeGreaterThan(0)
    for (const [name] of owned) expect(refusals[name]?.pointer, name).toBeDefined()
  })
})

describe('the version of a row', () => {
  it('is one of those the writer names, or any', () => {
    requireVersion(3, 'any')
    requireVersion(3, [1, 3])
    for (const expected of [[], [2]]) {
      expect(() => requireVersion(3, expected)).toThrow(expect.objectContaining({ headers: { ETag: '"3"' } }))
    }
  })
})

describe('the changed fields of a patch', () => {
  it('are those with another value; undefined is no value', () => {
    const row = { name: 'a', at: new Date(5), tags: ['x'], size: 1, note: null }
    expect(changedFields(row, { name: 'a', at: new Date(5), tags: ['x'], size: undefined, note: null })).toEqual({})
    expect(changedFields(row, { at: new Date(6), tags: ['y'], note: 'n' })).toEqual({
      at: new Date(6),
      tags: ['y'],
      note: 'n',
    })
  })
})
