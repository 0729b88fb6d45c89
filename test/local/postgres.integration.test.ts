import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { findPostmaster, waitForEnd } from '../../src/local/postmaster.ts'
import { isAlive } from '../../src/local/process-identity.ts'

/** One cluster, started, stopped and killed in turn: each test finds what the one before left. */

const SETTINGS = ['fsync=on', 'shared_buffers=16MB', 'max_connections=20']

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-postgres-'))
})

afterAll(async () => {
  const left = findPostmaster(path.join(dir, 'data'))
  if (left) {
    process.kill(left.pid, 'SIGKILL')
    await waitForEnd(left.pid, 10_000)
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5 })
})

const start = () => startEmbeddedPostgres({ dir, database: 'accounts', settings: SETTINGS })

async function query(server: { url: string }, sql: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(server.url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  )
}

/** A program of its own that starts the server and then waits, and ends when it is told to by SIGTERM. */
async function startInAnotherProcess(): Promise<{ child: ChildProcess; server: EmbeddedPostgres }> {
  const module = path.resolve(import.meta.dirname, '../../src/local/postgres.ts')
  const options = JSON.stringify({ dir, database: 'accounts', settings: SETTINGS })
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module)}
    process.once('SIGTERM', () => process.exit(130))
    console.log(JSON.stringify(await startEmbeddedPostgres(${options})))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [line] = (await once(lines, 'line')) as [string]
  return { child, server: JSON.parse(line) as EmbeddedPostgres }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

describe('the embedded Postgres', () => {
  it('starts on an empty folder, on a free port of this machine only', async () => {
    const server = await start()
    try {
      expect(server.adopted).toBe(false)
      expect(isAlive(server.pid)).toBe(true)
      expect(new URL(server.url)).toMatchObject({
        hostname: '127.0.0.1',
        port: String(server.port),
        pathname: '/accounts',
      })
      const [facts] = await query(
        server,
        `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
           current_setting('server_encoding') AS encoding, current_setting('data_checksums') AS checksums,
           (SELECT datlocale FROM pg_database WHERE datname = current_database()) AS locale`,
      )
      expect(facts).toEqual({
        addresses: '127.0.0.1',
        sockets: '',
        encoding: 'UTF8',
        checksums: 'on',
        locale: 'C.UTF-8',
      })
      await query(server, 'CREATE TABLE kept (n integer); INSERT INTO kept VALUES (1)')
    } finally {
      await server.stop()
    }
    expect(isAlive(server.pid)).toBe(false)
    await server.stop()
  })

  it('keeps its password to its owner and lets nobody in without it', async () => {
    expect((await stat(path.join(dir, 'password'))).mode & 0o777).toBe(0o600)
    const server = await start()
    try {
      const wrong = new URL(server.url)
      wrong.password = 'guess'
      expect(await failure(query({ url: wrong.href }, 'SELECT 1'))).toMatchObject({ code: '28P01' })
    } finally {
      await server.stop()
    }
  })

  it('refuses a second copy on its folder with a sentence that says what to do, and serves on', async () => {
    const server = await start()
    try {
      const refusal = await failure(start())
      expect(refusal).toBeInstanceOf(UsageError)
      expect((refusal as Error).message).toContain(dir)
      expect((refusal as Error).message).toMatch(/in use .*process \d+.*LOCAL_DATA_DIR/)
      expect(await query(server, 'SELECT n FROM kept')).toEqual([{ n: 1 }])
    } finally {
      await server.stop()
    }
    expect((await readdir(dir)).filter((file) => file.startsWith('lock-'))).toEqual([])
  })

  it('is refused while another program has the folder, and adopted once that was killed', async () => {
    const { child, server: first } = await startInAnotherProcess()
    expect(await failure(start())).toBeInstanceOf(UsageError)
    await query(first, 'INSERT INTO kept VALUES (2)')
    await kill(child)
    expect(isAlive(first.pid)).toBe(true)
    const server = await start()
    try {
      expect(server).toMatchObject({ adopted: true, pid: first.pid, port: first.port, url: first.url })
      expect(await query(server, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 2 }])
    } finally {
      await server.stop()
    }
    expect(isAlive(first.pid)).toBe(false)
  })

  it('ends at once with a program that exits without stopping it, and has every committed row when it is started again', async () => {
    const { child, server: first } = await startInAnotherProcess()
    await query(first, 'INSERT INTO kept VALUES (4)')
    const before = await query(first, 'SELECT count(*)::int AS n FROM kept')
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await ended).toEqual([130, null])
    // However soon: the one that is ending is not taken for one that serves on.
    const server = await start()
    try {
      expect(server.adopted).toBe(false)
      expect(isAlive(first.pid)).toBe(false)
      expect(await query(server, 'SELECT count(*)::int AS n FROM kept')).toEqual(before)
    } finally {
      await server.stop()
    }
  })

  it('waits for one that was left and is about to end, and starts a new one', async () => {
    const { child, server: first } = await startInAnotherProcess()
    const busy = new pg.Client(first.url)
    await busy.connect()
    await kill(child)
    // It takes nobody any more, and ends when the last one leaves.
    process.kill(first.pid, 'SIGTERM')
    await expect.poll(() => findPostmaster(path.join(dir, 'data'))?.ready).toBe(false)
    const starting = start()
    starting.catch(() => undefined)
    await expect.poll(async () => (await readdir(dir)).some((file) => file.startsWith('lock-'))).toBe(true)
    await busy.end()
    const server = await starting
    expect(server.adopted).toBe(false)
    await server.stop()
  })

  it('has every committed row after program and server were killed in the middle of writing', async () => {
    const { child, server: first } = await startInAnotherProcess()
    const writer = new pg.Client(first.url)
    writer.on('error', () => undefined)
    await writer.connect()
    let committed = 0
    const writing = (async () => {
      for (;;) {
        await writer.query('INSERT INTO kept VALUES (3)')
        committed += 1
        if (committed === 50) {
          await kill(child)
          process.kill(first.pid, 'SIGKILL')
        }
      }
    })()
    await failure(writing)
    const server = await start()
    try {
      expect(server.adopted).toBe(false)
      const [row] = await query(server, 'SELECT count(*)::int AS n FROM kept WHERE n = 3')
      expect(row?.n).toBeGreaterThanOrEqual(committed)
    } finally {
      await server.stop()
    }
  })

  it("signals nobody when the server it is to stop has ended: its number may be a stranger's by then", async () => {
    const { child } = await startInAnotherProcess()
    await kill(child)
    const server = await start()
    process.kill(server.pid, 'SIGKILL')
    expect(await waitForEnd(server.pid, 10_000)).toBe(true)
    const signals = vi.spyOn(process, 'kill')
    try {
      await server.stop()
      expect(signals.mock.calls).toEqual([])
    } finally {
      signals.mockRestore()
    }
  })

  it('does not take a stranger for its server when the number in the pid file was given away', async () => {
    const pidFile = path.join(dir, 'data', 'postmaster.pid')
    await writeFile(pidFile, `${process.pid}\n${path.join(dir, 'data')}\n0\n5432\n\n127.0.0.1\n\n`)
    const server = await start()
    expect(server.adopted).toBe(false)
    expect(server.pid).not.toBe(process.pid)
    await server.stop()
  })

  it('starts again after an initdb that was killed half-way', async () => {
    const fresh = path.join(dir, 'half')
    const server = await startEmbeddedPostgres({ dir: fresh, settings: SETTINGS })
    await server.stop()
    await rm(path.join(fresh, 'data'), { recursive: true })
    await writeFile(path.join(fresh, 'data.init'), 'rubbish')
    const again = await startEmbeddedPostgres({ dir: fresh, settings: SETTINGS })
    await again.stop()
    expect(again.adopted).toBe(false)
  })

  it('says what is wrong when the port is taken, a setting is wrong or the password is gone', async () => {
    const server = await start()
    const other = path.join(dir, 'half')
    const taken = await failure(startEmbeddedPostgres({ dir: other, port: server.port }))
    await server.stop()
    expect(taken).toBeInstanceOf(UsageError)
    expect((taken as Error).message).toContain(String(server.port))

    const wrong = await failure(startEmbeddedPostgres({ dir: other, settings: ['no_such_setting=1'] }))
    expect((wrong as Error).message).toContain('no_such_setting')

    await rm(path.join(other, 'password'))
    const lost = await failure(startEmbeddedPostgres({ dir: other }))
    expect(lost).toBeInstanceOf(UsageError)
    expect((lost as Error).message).toContain('password')
  })

  it('works below a folder that only its owner can enter', async () => {
    const parent = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-private-'))
    await chmod(parent, 0o700)
    const server = await startEmbeddedPostgres({ dir: path.join(parent, 'deep', 'cluster'), settings: SETTINGS })
    try {
      expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    } finally {
      await server.stop()
      await rm(parent, { recursive: true, force: true })
    }
  })
})
