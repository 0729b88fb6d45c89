import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/database/database.ts'
import { describe as reasonOf } from '../../src/errors.ts'
import { selfSigned } from '../support/certificate.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** A server that speaks TLS, as RDS does, before a real one: it answers SSLRequest (PostgreSQL, "Message Flow", 54.2.11). */
function tlsServer(databaseUrl: string, { cert, key }: { cert: string; key: string }): Promise<Server> {
  const target = new URL(databaseUrl)
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (request) => {
      if (request.readInt32BE(4) !== 80877103) return socket.destroy()
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      const upstream = connect(Number(target.port), target.hostname)
      for (const each of [secure, upstream])
        each.on('error', () => socket.destroy()).on('close', () => socket.destroy())
      socket.on('close', () => upstream.destroy())
      secure.pipe(upstream).pipe(secure)
    })
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

let database: TestDatabase
let folder: string
let server: Server
let parts: Record<string, string>

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(path.join(tmpdir(), 'verified-server-'))
  const [ours, other] = [selfSigned('localhost'), selfSigned('localhost')]
  await writeFile(path.join(folder, 'ca.pem'), ours.cert)
  await writeFile(path.join(folder, 'other.pem'), other.cert)
  server = await tlsServer(database.url, ours)
  const { password, pathname, username } = new URL(database.url)
  parts = {
    DATABASE_HOST: 'localhost',
    DATABASE_PORT: String((server.address() as AddressInfo).port),
    DATABASE_NAME: pathname.slice(1),
    DATABASE_USER: decodeURIComponent(username),
    DATABASE_PASSWORD: decodeURIComponent(password),
    DATABASE_SSL_CA: path.join(folder, 'ca.pem'),
  }
})
afterAll(async () => {
  server?.close()
  await Promise.all([database?.drop(), rm(folder, { recursive: true, force: true })])
})

async function ping(settings: Record<string, string>): Promise<string> {
  const { databaseUrl = '' } = parseConfig(settings)
  const opened = openDatabase({ url: databaseUrl, poolSize: 1, connectTimeoutMs: 30_000, patienceMs: 0 })
  try {
    await opened.ping()
    return 'connected'
  } catch (error) {
    return reasonOf(error)
  } finally {
    await opened.close()
  }
}

describe('a database given by its parts', () => {
  it('is reached over TLS when it proves its name by a certificate of the file', async () => {
    expect(await ping(parts)).toBe('connected')
  })

  it('is not reached when somebody else vouches for it', async () => {
    expect(await ping({ ...parts, DATABASE_SSL_CA: path.join(folder, 'other.pem') })).toMatch(/self-signed certificate/)
  })

  it('is not reached when its certificate is for another name', async () => {
    expect(await ping({ ...parts, DATABASE_HOST: '127.0.0.1' })).toMatch(/altnames/)
  })

  it('is not reached when nobody is named who vouches for it', async () => {
    const { DATABASE_SSL_CA: _file, ...rest } = parts
    expect(await ping(rest)).toMatch(/self-signed certificate/)
  })

  it('is not reached where it does not speak TLS', async () => {
    const { hostname, port } = new URL(database.url)
    expect(await ping({ ...parts, DATABASE_HOST: hostname, DATABASE_PORT: port })).toMatch(/does not support SSL/)
  })
})
