import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeyedLog } from '../../../../src/local/aws/glue/store/keyed-log.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyed-log-'))
  path = join(folder, 'a.log')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('what was written is there when the file is opened again', async () => {
  const log = await KeyedLog.open<number>(path)
  await log.write([
    ['b', 2],
    ['a', 1],
    ['ü', 3],
  ])
  await log.write([
    ['a', null],
    ['b', 4],
  ])
  const again = await KeyedLog.open<number>(path)
  expect(again.keys()).toEqual(['b', 'ü'])
  expect(again.values()).toEqual([4, 3])
})

test('a torn last line is no change, and the next write is whole', async () => {
  const log = await KeyedLog.open<string>(path)
  await log.write([['a', 'ä']])
  await appendFile(path, '[["b","x"],["c","y')
  const again = await KeyedLog.open<string>(path)
  expect(again.keys()).toEqual(['a'])
  await again.write([['d', 'z']])
  expect((await KeyedLog.open<string>(path)).keys()).toEqual(['a', 'd'])
})

test('damage in the middle is named, not skipped', async () => {
  await writeFile(path, 'oops\n[["a",1]]\n')
  await expect(KeyedLog.open(path)).rejects.toThrow(path)
})

test('dead changes do not make the file grow for ever', async () => {
  const log = await KeyedLog.open<string>(path)
  const value = 'x'.repeat(1000)
  for (let round = 0; round < 30; round += 1) {
    await log.write(Array.from({ length: 100 }, (_, index) => [`key ${index}`, `${value}${round}`] as const))
  }
  expect((await stat(path)).size).toBeLessThan(2_000_000)
  expect((await KeyedLog.open<string>(path)).values()).toEqual(log.values())
  expect(await readFile(path, 'utf8')).toMatch(/\n$/)
})
