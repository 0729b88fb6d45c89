import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { UsageError } from '../errors.ts'
import { lockFolder } from './folder-lock.ts'
import { chooseIdentity, findPostgres, type Identity, type PostgresProgram } from './postgres-program.ts'
import { clearStalePidFile, endWithProcess, findPostmaster, type Postmaster, waitForEnd } from './postmaster.ts'

export interface EmbeddedPostgresOptions {
  /** Folder of the cluster; created if missing. Below it: `data/`, `password`, the lock. */
  readonly dir: string
  /** Database to create if missing; default `rocketgames`. */
  readonly database?: string
  /** Default: any free one. A server that is adopted keeps its own. */
  readonly port?: number
  /** `name=value` settings of the server; a server that is adopted keeps its own. */
  readonly settings?: readonly string[]
  /** Told what the server writes. */
  readonly log?: (line: string) => void
}

export interface EmbeddedPostgres {
  /** Of the database, with password, on 127.0.0.1. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** The server of a program that was killed was still running and serves on. */
  readonly adopted: boolean
  /** Ends the server (open transactions are rolled back) and gives the folder back; safe to call twice. */
  stop(): Promise<void>
}

const SUPERUSER = 'postgres'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
const PORT_ATTEMPTS = 3
const POLL_MS = 15
const STDERR_TAIL_CHARS = 4_000

const SETTINGS = [
  'unix_socket_directories=',
  'max_connections=100',
  // The parts of the indexes that a large import writes to, of a million players; with less they are written and read all the time.
  'shared_buffers=256MB',
  // The first change of a page after a checkpoint writes the whole page into the log: fewer checkpoints, less log.
  'max_wal_size=2GB',
  'logging_collector=off',
  // After a crash one call in place of opening every file: 0.35 s instead of 2.1 s.
  'recovery_init_sync_method=syncfs',
]

interface Cluster {
  readonly dir: string
  readonly data: string
  readonly passwordFile: string
  readonly program: PostgresProgram
  readonly identity: Identity
  readonly log: (line: string) => void
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const address = server.address()
        const port = typeof address === 'object' && address ? address.port : 0
        server.close(() => resolve(port))
      })
  })
}

function writePassword({ passwordFile, identity }: Cluster): void {
  const { uid, gid } = identity.ids
  if (!existsSync(passwordFile)) {
    const scratch = `${passwordFile}.new`
    rmSync(scratch, { force: true })
    writeFileSync(scratch, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
    renameSync(scratch, passwordFile)
  }
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid)
}

/** Initialises under another name and renames: a killed initdb never leaves half a cluster. */
async function initialise({ data, passwordFile, program, identity, dir }: Cluster): Promise<void> {
  const scratch = `${data}.init`
  rmSync(scratch, { recursive: true, force: true })
  const [file, ...args] = [
    ...identity.prefix,
    program.initdb,
    ...['-D', scratch, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
    // Sorting and case folding are then the same on every machine.
    ...['-E', 'UTF8', '--locale-provider=builtin', '--locale=C.UTF-8', '--data-checksums', '--no-sync'],
  ] as [string, ...string[]]
  await promisify(execFile)(file, args, { cwd: dir, env: program.env, ...identity.ids })
  renameSync(scratch, data)
}

/** A server process of ours, and how it ended if it did. */
interface Server {
  readonly process: ChildProcess
  readonly ended: Promise<void>
  failure(): string | undefined
}

function launch({ data, dir, program, identity, log }: Cluster, port: number, settings: readonly string[]): Server {
  const [file, ...args] = [
    ...identity.prefix,
    program.postgres,
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1'],
    ...[...SETTINGS, ...settings].flatMap((setting) => ['-c', setting]),
  ] as [string, ...string[]]
  // A group of its own: Ctrl-C in the terminal is for us, who then stop the server in order.
  const child = spawn(file, args, {
    cwd: dir,
    env: program.env,
    ...identity.ids,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let tail = ''
  let failure: string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_CHARS)
    for (const line of text.trimEnd().split('\n')) log(line)
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = `PostgreSQL did not start: ${error.message}`
      resolve()
    })
    child.once('close', (code, signal) => {
      failure ??= `PostgreSQL ended with ${signal ?? `code ${code}`}: ${tail.trim()}`
      resolve()
    })
  })
  return { process: child, ended, failure: () => failure }
}

const isPortTaken = (failure: string) => /Address already in use|could not create any TCP\/IP sockets/.test(failure)

/**
 * Waits until the server takes connections. Asks its pid file and not the port, where another server may listen: then ours is
 * about to end, and `failure` tells why.
 */
async function awaitReady(data: string, failure: () => string | undefined): Promise<Postmaster> {
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const failed = failure()
    if (failed !== undefined) throw new Error(failed)
    const server = findPostmaster(data)
    if (server?.ready) return server
    if (Date.now() > deadline) throw new Error(`PostgreSQL was not ready after ${START_TIMEOUT_MS} ms`)
    await sleep(POLL_MS)
  }
}

async function createMissing(database: string, adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  } catch (cause) {
    if ((cause as { code?: string }).code !== '28P01') throw cause
    const message = 'PostgreSQL refuses the password in its file "password"; restore the file, or delete the folder'
    throw new UsageError(message, { cause })
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function openCluster({ dir, log }: EmbeddedPostgresOptions): Promise<Cluster> {
  const data = path.join(dir, 'data')
  const identity = chooseIdentity(data)
  const program = await findPostgres(path.join(dir, 'libraries'))
  const { uid, gid } = identity.ids
  if (uid !== undefined && gid !== undefined) chownSync(dir, uid, gid)
  const cluster = { dir, data, passwordFile: path.join(dir, 'password'), program, identity, log: log ?? (() => {}) }
  const initialised = existsSync(path.join(data, 'PG_VERSION'))
  if (initialised && !existsSync(cluster.passwordFile)) {
    throw new UsageError(`the file "password" of the cluster in ${dir} is missing; restore it, or delete the folder`)
  }
  writePassword(cluster)
  if (!initialised) await initialise(cluster)
  return cluster
}

/** The server that a killed program left running. Undefined when there is none, or when it was about to end and has. */
async function leftServer(data: string): Promise<Postmaster | undefined> {
  const gone = () => (findPostmaster(data) ? undefined : 'the PostgreSQL server that was found ended')
  return awaitReady(data, gone).catch((error: unknown) => {
    if (gone() === undefined) throw error
    return undefined
  })
}

/** The server that was left running, or a new one. */
async function serve(
  cluster: Cluster,
  { port: wanted, settings = [] }: EmbeddedPostgresOptions,
): Promise<{ postmaster: Postmaster; server: Server | undefined }> {
  const left = await leftServer(cluster.data)
  if (left) return { postmaster: left, server: undefined }
  await clearStalePidFile(cluster.data)
  for (let attempt = 1; ; attempt++) {
    const port = wanted || (await freePort())
    const server = launch(cluster, port, settings)
    try {
      return { postmaster: await awaitReady(cluster.data, server.failure), server }
    } catch (error) {
      server.process.kill('SIGQUIT')
      await server.ended
      if (!isPortTaken(server.failure() ?? '')) throw error
      if (wanted) throw new UsageError(`port ${wanted} is taken; choose another one for PostgreSQL`, { cause: error })
      // Somebody took the free port before PostgreSQL did.
      if (attempt === PORT_ATTEMPTS) throw error
    }
  }
}

/** Is that very server gone? Its number may by then belong to another process. */
function isGone({ data }: Cluster, pid: number, server: Server | undefined): boolean {
  if (server) return server.process.exitCode !== null || server.process.signalCode !== null
  return findPostmaster(data)?.pid !== pid
}

async function end(cluster: Cluster, pid: number, server: Server | undefined): Promise<void> {
  if (isGone(cluster, pid, server)) return
  // From here on the process must not end before the server has.
  server?.process.ref()
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    if (await waitForEnd(pid, STOP_TIMEOUT_MS)) return
  }
}

/**
 * A real PostgreSQL on a folder, from binaries of the package registry: no installation, no container, no fixed port.
 *
 * It ends with this process, however that leaves. What a crash leaves behind is used: a server that survived the `kill -9` of its
 * program is adopted, one that was killed itself recovers with every committed row. A second program on the same folder gets a
 * `UsageError`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dir = path.resolve(options.dir)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const database = options.database ?? 'rocketgames'
  const lock = await lockFolder(dir, 'the embedded PostgreSQL of another copy')
  const outlive = endWithProcess(path.join(dir, 'data'))
  const giveBack = () => {
    outlive()
    return lock.release()
  }
  let stopping: Promise<void> | undefined
  try {
    const cluster = await openCluster({ ...options, dir })
    const { server, postmaster } = await serve(cluster, options)
    const { pid, port } = postmaster
    const stop = () => {
      stopping ??= end(cluster, pid, server).then(giveBack)
      return stopping
    }
    const password = encodeURIComponent(readFileSync(cluster.passwordFile, 'utf8').trim())
    const url = (name: string) => `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(name)}`
    try {
      await createMissing(database, url('postgres'))
    } catch (error) {
      await stop()
      throw error
    }
    // A program that forgets to stop may still end, and the server with it.
    server?.process.unref()
    ;(server?.process.stderr as { unref?(): void } | null | undefined)?.unref?.()
    return { url: url(database), port, pid, adopted: server === undefined, stop }
  } catch (error) {
    await giveBack()
    throw error
  }
}
