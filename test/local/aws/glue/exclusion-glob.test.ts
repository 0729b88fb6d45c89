import { expect, test } from 'vitest'
import { exclusionGlob } from '../../../../src/local/aws/glue/crawler/exclusion-glob.ts'

test.each([
  ['*.csv', 'a.csv', true],
  ['*.csv', 'x/a.csv', false],
  ['**.json', 'x/y/a.json', true],
  ['**.json', 'x/a.json.gz', false],
  ['**/_*', 'x/_SUCCESS', true],
  ['**/_*', '_SUCCESS', false],
  ['x/**', 'x/y/z', true],
  ['x/*', 'x/y/z', false],
  ['dt=2026-0?-*/**', 'dt=2026-01-15/a', true],
  ['[a-c]/*', 'b/1', true],
  ['[!a-c]/*', 'b/1', false],
  ['*.{tmp,bak}', 'a.bak', true],
  ['*.{tmp,bak}', 'a.csv', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a.b', 'axb', false],
])('%s, %s: %s', (glob, key, matches) => {
  expect(exclusionGlob(glob).test(key)).toBe(matches)
})

test.each(['[a', '{a,b', 'a\\', '{a,{b}}', '[z-a]'])('%s is refused', (glob) => {
  expect(() => exclusionGlob(glob)).toThrow(/Exclusions/)
})
