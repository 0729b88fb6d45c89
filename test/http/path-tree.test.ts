import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PathTree } from '../../src/http/path-tree.ts'

function treeOf(...patterns: string[]): PathTree<string> {
  const tree = new PathTree<string>()
  for (const pattern of patterns) tree.add(pattern, pattern)
  return tree
}

describe('a tree of paths', () => {
  const tree = treeOf(
    '/healthz',
    '/v1/studios',
    '/v1/studios/{id}',
    '/v1/studios/{id}/members/{ownerId}',
    '/v1/studios/by-ref/{externalRef}',
    '/v1/players/{playerId}/library/{gameId}/{platform}',
    '/v1/players/lookup',
  )

  test('finds a pattern with its parameters by name', () => {
    expect(tree.find('/healthz')).toEqual({ value: '/healthz', raw: {} })
    expect(tree.find('/v1/studios/7/members/9')).toEqual({
      value: '/v1/studios/{id}/members/{ownerId}',
      raw: { id: '7', ownerId: '9' },
    })
    expect(tree.find('/v1/players/a/library/b/c')?.raw).toEqual({ playerId: 'a', gameId: 'b', platform: 'c' })
  })

  test('a name goes before a parameter, but only where a whole pattern fits with it', () => {
    expect(tree.find('/v1/studios/by-ref/x')?.value).toBe('/v1/studios/by-ref/{externalRef}')
    expect(tree.find('/v1/studios/by-ref')).toEqual({ value: '/v1/studios/{id}', raw: { id: 'by-ref' } })
    expect(tree.find('/v1/studios/by-ref/members/9')).toEqual({
      value: '/v1/studios/{id}/members/{ownerId}',
      raw: { id: 'by-ref', ownerId: '9' },
    })
    expect(tree.find('/v1/players/lookup')?.value).toBe('/v1/players/lookup')
    expect(tree.find('/v1/players/lookup/library/b/c')?.raw).toMatchObject({ playerId: 'lookup' })
  })

  test('case, empty segments and a slash at the end count; an escape is not read', () => {
    for (const path of ['/V1/studios', '/v1/studios/', '/v1//studios', '/v1/studios/7/', 'v1/studios', '', '*', '/']) {
      expect(tree.find(path), path).toBeUndefined()
    }
    expect(tree.find('/v1/%73tudios')).toBeUndefined()
    expect(tree.find('/v1/studios/a%2Fb')?.raw).toEqual({ id: 'a%2Fb' })
  })

  test('names of objects are names like any other', () => {
    expect(tree.find('/constructor')).toBeUndefined()
    expect(tree.find('/v1/studios/__proto__')?.raw.id).toBe('__proto__')
  })

  test('a pattern is there once', () => {
    expect(() => treeOf('/a/{b}', '/a/{c}')).toThrow('/a/{c} is there already')
  })

  test('finds what trying one pattern after the other finds, the one with the earliest names first', () => {
    const segment = fc.constantFrom('a', 'b', '{x}')
    const patterns = fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 4 }), {
      selector: (segments) => segments.join('/'),
      maxLength: 12,
    })
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(patterns, path, (given, asked) => {
        const fits = given
          .filter((segments) => segments.length === asked.length)
          .filter((segments) => segments.every((each, i) => each === '{x}' || each === asked[i]))
          .map((segments) => segments.join('/'))
          // In this alphabet a name sorts before a parameter.
          .sort()
        const found = treeOf(...given.map((segments) => `/${segments.join('/')}`)).find(`/${asked.join('/')}`)
        expect(found?.value).toBe(fits[0] === undefined ? undefined : `/${fits[0]}`)
      }),
    )
  })
})
