import { chownSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/local/postgres.ts'
import type { Checks } from './checks.ts'
import { type ComposeService, composeFile } from './compose-file.ts'
import { type BuiltImage, ComposeRun } from './compose-run.ts'
import { freePort } from './free-port.ts'
import type { OciContainer } from './oci-container.ts'

const NODE_UID = 1000
/** Requests of the check that stops a replica, and how many of them are under way at once. */
const REQUESTS = 400
const CALLERS = 4

export interface ComposeOptions {
  readonly folder: string
  readonly source: string
  /** By the target that a service is built from. */
  readonly images: Readonly<Record<string, BuiltImage>>
  readonly checks: Checks
}

/**
 * The services of compose.yaml without Docker: those that are built from here as containers, with the settings and the commands
 * that the file gives them; the embedded Postgres for the database; Debian's HAProxy with the file's configuration for the proxy.
 */
export async function checkCompose({ checks, folder, images, source }: ComposeOptions): Promise<void> {
  const file = composeFile(source)
  const postgres = await startEmbeddedPostgres({ dir: path.join(folder, 'compose-postgres'), database: 'compose' })
  const [aws = 0, first = 0, second = 0, proxy = 0] = await Promise.all(Array.from({ length: 4 }, freePort))
  const ports = { database: postgres.port, aws, 'accounts-1': first, 'accounts-2': second, proxy }
  const run = new ComposeRun({ file, folder, images, ports })
  try {
    await makeOwner(postgres.url, file.services.database)
    const data = path.join(folder, 'compose-aws')
    mkdirSync(data)
    chownSync(data, NODE_UID, NODE_UID)
    await run.start('aws', { '/data': data })
    checks.note('compose: aws', true, 'healthy')
    const migrated = await run.once('migrate')
    checks.note('compose: migrate', migrated.code === 0, migrated.stderr || `${migrated.ms} ms`)
    const replica = await run.start('accounts-1')
    await run.start('accounts-2')
    await run.startProxy()
    checks.note('compose: accounts-1, accounts-2 and the proxy', true, 'healthy')
    const made = await run.once('accounts-1', ['keys', 'create', '--name', 'compose check'])
    checks.note('compose: run accounts-1 keys create', made.code === 0, made.code === 0 ? '' : made.stderr)
    await checks.guard('compose: a replica stops', () => checkStop(proxy, made.stdout.trim(), replica, checks))
    const snapshot = await run.once('exporter')
    checks.note('compose: run exporter', snapshot.code === 0, snapshot.stdout || snapshot.stderr)
    const care = await run.once('exporter', ['care'])
    checks.note('compose: run exporter care', care.code === 0, care.stdout || care.stderr)
  } finally {
    await run.stop()
    await postgres.stop()
  }
}

/** What the image of the database does with its environment. */
async function makeOwner(url: string, database: ComposeService | undefined): Promise<void> {
  const { POSTGRES_DB = '', POSTGRES_PASSWORD = '', POSTGRES_USER = '' } = database?.environment ?? {}
  const client = new pg.Client(url)
  await client.connect()
  try {
    const user = pg.escapeIdentifier(POSTGRES_USER)
    await client.query(`CREATE ROLE ${user} SUPERUSER LOGIN PASSWORD ${pg.escapeLiteral(POSTGRES_PASSWORD)}`)
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(POSTGRES_DB)} OWNER ${user}`)
  } finally {
    await client.end()
  }
}

/** Studios are created through the proxy while one of the two replicas is told to stop: no caller must notice. */
async function checkStop(proxy: number, key: string, replica: OciContainer, checks: Checks): Promise<void> {
  const url = `http://127.0.0.1:${proxy}/v1/studios`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answers = new Map<string, number>()
  let next = 0
  let ended: Promise<number | null> | undefined
  const caller = async () => {
    for (let n = next++; n < REQUESTS; n = next++) {
      if (n === REQUESTS / 4) {
        await replica.signal('TERM')
        ended = replica.ended
      }
      const body = JSON.stringify({ slug: `compose-${n}`, name: `Compose ${n}` })
      const answer = await fetch(url, { method: 'POST', headers, body }).then(
        async (response) => {
          await response.arrayBuffer()
          return String(response.status)
        },
        (error: unknown) => String((error as Error).cause ?? error),
      )
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      // As callers do: requests of half a minute, not of half a second.
      await delay(20)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const code = await ended
  const found = [...answers].map(([answer, count]) => `${count} x ${answer}`).join(', ')
  checks.note('compose: no request fails while one replica stops', answers.get('201') === REQUESTS, found)
  checks.note('compose: the replica ends with', code === 0, String(code))
}
