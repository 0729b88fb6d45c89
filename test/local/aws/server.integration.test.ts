import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/errors.ts'
import { type LocalAws, startLocalAws } from '../../../src/local/aws/launcher.ts'
import { createLogger } from '../../../src/logger.ts'

const log = createLogger({ level: 'warn' })
const LAUNCHER = new URL('../../../src/local/aws/launcher.ts', import.meta.url).href
const LOGGER = new URL('../../../src/logger.ts', import.meta.url).href
let dir: string
const running: LocalAws[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rocketgames-server-'))
})
afterEach(async () => {
  for (const aws of running.splice(0)) await aws.stop()
  await rm(dir, { recursive: true, force: true })
})

async function start(port = 0): Promise<LocalAws> {
  const aws = await startLocalAws({ dir, port, log })
  running.push(aws)
  return aws
}

describe('the local AWS process', () => {
  it('listens on loopback and makes random credentials once, for their owner alone', async () => {
    const first = await start()
    expect(first.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const file = join(dir, 'aws-credentials.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      accessKeyId: first.accessKeyId,
      secretAccessKey: first.secretAccessKey,
      region: first.region,
    })
    await first.stop()
    const second = await start()
    expect(second.secretAccessKey).toBe(first.secretAccessKey)
  })

  it('refuses a folder another one works on, and says which process that is', async () => {
    const first = await start()
    const second = startLocalAws({ dir, port: 0, log })
    await expect(second).rejects.toBeInstanceOf(UsageError)
    await expect(second).rejects.toThrow(`process ${first.pid}`)
    await expect(second).rejects.toThrow('LOCAL_DATA_DIR')
  })

  it('takes the folder over from one that was killed', async () => {
    const first = await start()
    process.kill(first.pid, 'SIGKILL')
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
    const second = await start()
    expect(second.pid).not.toBe(first.pid)
  })

  it('of several that start at once on one folder one wins', async () => {
    const results = await Promise.allSettled([start(), start(), start()])
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(UsageError)
  })

  it('names a taken port and the setting', async () => {
    const blocker = createServer().listen({ host: '127.0.0.1', port: 0 })
    await new Promise((done) => blocker.once('listening', done))
    const { port } = blocker.address() as { port: number }
    const refused = startLocalAws({ dir, port, log })
    await expect(refused).rejects.toBeInstanceOf(UsageError)
    await expect(refused).rejects.toThrow(new RegExp(`Port ${port} .* LOCAL_AWS_PORT`))
    await new Promise((done) => blocker.close(done))
    // the refused one left no lock
    await start()
  })

  it('says what to do about credentials it cannot read', async () => {
    await writeFile(join(dir, 'aws-credentials.json'), '{"accessKeyId":1}')
    await expect(startLocalAws({ dir, port: 0, log })).rejects.toThrow(/aws-credentials\.json.* remove it/)
  })

  it('ends cleanly on SIGTERM and SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const aws = await start()
      process.kill(aws.pid, signal)
      expect(await aws.exited).toEqual({ code: 0, signal: null })
    }
  })

  it('leads a process group of its own, so that Ctrl-C in the terminal leaves it to its launcher', async () => {
    const aws = await start()
    // throws where there is no such group
    expect(process.kill(-aws.pid, 0)).toBe(true)
  })

  it('ends when the process that launched it is killed', async () => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, dir], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { pid, endpoint } = await new Promise<{ pid: number; endpoint: string }>((done) => {
      parent.stdout.once('data', (line: Buffer) => done(JSON.parse(line.toString())))
    })
    parent.kill('SIGKILL')
    // its standard error is the grandparent's pipe: that ends when the process does
    await new Promise((done) => parent.stderr.resume().once('end', done))
    // its process id may live on as a zombie; what it held is free
    await expect(fetch(endpoint)).rejects.toThrow()
    expect((await start()).pid).not.toBe(pid)
  })
})

/** Launches the endpoint, tells where it is, and stays. */
const PARENT = `
  const { startLocalAws } = await import(${JSON.stringify(LAUNCHER)})
  const { createLogger } = await import(${JSON.stringify(LOGGER)})
  const { pid, endpoint } = await startLocalAws({ dir: process.argv[1], port: 0, log: createLogger({ level: 'warn' }) })
  console.log(JSON.stringify({ pid, endpoint }))
  setInterval(() => {}, 1000)
`
