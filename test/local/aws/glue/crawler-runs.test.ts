import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type GlueService, openGlue } from '../../../../src/local/aws/glue/service.ts'
import type { JsonObject, ObjectStore, StoredObject } from '../../../../src/local/aws/ports.ts'
import { createLogger } from '../../../../src/logger.ts'
import { openParquetFiles } from './parquet-files.ts'
import { answerProblems } from './wire-shape.ts'

/**
 * Objects of one bucket that all have the bytes of one file. A listing waits until `release`, so that a crawl can be looked at while it
 * runs; nothing else about it differs from the real store, which the integration tests use.
 */
function heldStore(path: string, keys: readonly string[]) {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const object = (key: string): StoredObject => ({ key, size: 500, etag: '"one"', lastModified: new Date(0) })
  const refuse = () => Promise.reject(new Error('a crawl writes no objects'))
  const store: ObjectStore = {
    hasBucket: (bucket) => bucket === 'lake',
    async *list(_, prefix) {
      await released
      for (const key of keys) if (key.startsWith(prefix)) yield object(key)
    },
    head: (_, key) => (keys.includes(key) ? object(key) : undefined),
    blobPath: (_, key) => (keys.includes(key) ? path : undefined),
    put: refuse,
    putFile: refuse,
    delete: refuse,
  }
  return { store, release }
}

const KEYS = Array.from({ length: 1000 }, (_, index) => `t/k=${index}/a.parquet`)
const log = createLogger({ level: 'silent' })

let dir: string
let files: Awaited<ReturnType<typeof openParquetFiles>>
let held: ReturnType<typeof heldStore>
let glue: GlueService

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glue-runs-'))
  files = await openParquetFiles()
  held = heldStore(await files.write('1 AS a'), KEYS)
  glue = await openGlue({ dir, store: held.store, log })
  await call('CreateCrawler', {
    Name: 'c',
    Role: 'r',
    DatabaseName: 'd',
    Targets: { S3Targets: [{ Path: 's3://lake/t/' }] },
  })
})
afterEach(async () => {
  held.release()
  await glue.close()
  await files.close()
  await rm(dir, { recursive: true, force: true })
})

async function call(operation: string, input: JsonObject = { Name: 'c' }, service = glue): Promise<JsonObject> {
  const answer = await service.call(operation, input)
  expect(answerProblems(operation, JSON.parse(JSON.stringify(answer)))).toEqual([])
  return answer
}

async function crawler(service = glue) {
  const { Crawler } = await call('GetCrawler', { Name: 'c' }, service)
  return Crawler as { State: string; CrawlElapsedTime: number; LastCrawl?: { Status: string; ErrorMessage?: string } }
}

async function ended(): Promise<void> {
  while ((await crawler()).State !== 'READY') await new Promise((resolve) => setImmediate(resolve))
}

describe('a crawl that runs', () => {
  test('is RUNNING; its crawler cannot be started, changed or deleted', async () => {
    await call('StartCrawler')
    expect((await crawler()).State).toBe('RUNNING')
    for (const operation of ['StartCrawler', 'UpdateCrawler', 'DeleteCrawler']) {
      await expect(glue.call(operation, { Name: 'c' })).rejects.toMatchObject({ code: 'CrawlerRunningException' })
    }
    const { Crawls } = await call('ListCrawls', { CrawlerName: 'c' })
    expect(Crawls).toMatchObject([{ State: 'RUNNING' }])
    held.release()
    await ended()
    expect((await crawler()).LastCrawl).toMatchObject({ Status: 'SUCCEEDED' })
    expect(glue.partitions('d', 't')).toHaveLength(1000)
  })

  test('of two starts at once only one is made', async () => {
    const starts = await Promise.allSettled([call('StartCrawler'), call('StartCrawler'), call('StartCrawler')])
    expect(starts.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
  })

  test('can be stopped: STOPPING, then READY and CANCELLED, and nothing was written', async () => {
    await call('StartCrawler')
    await call('StopCrawler')
    expect((await crawler()).State).toBe('STOPPING')
    await expect(glue.call('StopCrawler', { Name: 'c' })).rejects.toMatchObject({ code: 'CrawlerStoppingException' })
    await expect(glue.call('StartCrawler', { Name: 'c' })).rejects.toMatchObject({ code: 'CrawlerRunningException' })
    held.release()
    await ended()
    expect((await crawler()).LastCrawl).toMatchObject({ Status: 'CANCELLED' })
    expect(glue.tables('d')).toEqual([])
    const { Crawls } = await call('ListCrawls', { CrawlerName: 'c' })
    expect(Crawls).toMatchObject([{ State: 'STOPPED' }])
    await call('StartCrawler')
    await ended()
    expect((await crawler()).LastCrawl).toMatchObject({ Status: 'SUCCEEDED' })
  })

  test('gives other work its turn', async () => {
    let turns = 0
    let counting = true
    const count = () => {
      turns += 1
      if (counting) setImmediate(count)
    }
    held.release()
    await call('StartCrawler')
    setImmediate(count)
    await ended()
    counting = false
    expect(turns).toBeGreaterThan(10)
  })
})

describe('the end of the process during a crawl', () => {
  const interrupted = { Status: 'FAILED', ErrorMessage: 'The local endpoint ended during the crawl' }

  test('kill -9: the folder as it stands opens as READY and FAILED, and can crawl again', async () => {
    await call('StartCrawler')
    const copy = `${dir}-copy`
    await cp(dir, copy, { recursive: true })
    const open = heldStore(await files.write('1 AS a'), KEYS)
    const again = await openGlue({ dir: copy, store: open.store, log })
    try {
      expect(await crawler(again)).toMatchObject({ State: 'READY', LastCrawl: interrupted })
      const { Crawls } = await call('ListCrawls', { CrawlerName: 'c' }, again)
      expect(Crawls).toMatchObject([{ State: 'FAILED', ErrorMessage: interrupted.ErrorMessage }])
      await call('StartCrawler', { Name: 'c' }, again)
    } finally {
      open.release()
      await again.close()
      await rm(copy, { recursive: true, force: true })
    }
    held.release()
    await ended()
  })

  test('an orderly stop records the same, and starts nothing new', async () => {
    await call('StartCrawler')
    held.release()
    await glue.close()
    await expect(glue.call('StartCrawler', { Name: 'c' })).rejects.toMatchObject({ status: 503 })
    glue = await openGlue({ dir, store: held.store, log })
    expect(await crawler()).toMatchObject({ State: 'READY', LastCrawl: interrupted })
  })
})

test('what a crawl says is in its log file', async () => {
  held.release()
  await call('StartCrawler')
  await ended()
  const folder = join(dir, 'glue', 'logs', 'crawlers')
  const [file] = await readdir(folder)
  const text = await readFile(join(folder, file ?? ''), 'utf8')
  expect(text).toContain('created table d.t at s3://lake/t/')
  expect(text).toContain('changed 1000 partitions of d.t')
})

test('what Athena reads are copies', async () => {
  await call('CreateDatabase', { DatabaseInput: { Name: 'D' } })
  await call('CreateTable', { DatabaseName: 'd', TableInput: { Name: 'X', PartitionKeys: [{ Name: 'k' }] } })
  const table = glue.table('D', 'x')
  table?.PartitionKeys?.push({ Name: 'foreign' })
  expect(glue.table('d', 'X')?.PartitionKeys).toEqual([{ Name: 'k' }])
  expect(glue.databases().map((one) => one.Name)).toEqual(['d'])
  expect(glue.database('nope')).toBeUndefined()
  expect(glue.tables('nope')).toEqual([])
  expect(glue.partitions('d', 'nope')).toEqual([])
  await expect(glue.call('Nope', {})).rejects.toMatchObject({ code: 'UnknownOperationException' })
})
