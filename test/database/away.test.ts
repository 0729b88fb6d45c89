import net from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { describe } from '../../src/errors.ts'
import { WAYS } from './ways.ts'

/** Nobody listens, or somebody who hangs up: whatever way is taken, the caller hears `unavailable` and when to come again. */
let refusing: Database
let hangingUp: Database
let server: net.Server

beforeAll(async () => {
  server = net.createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  hangingUp = openDatabase({ url: `postgresql://u:p@127.0.0.1:${port}/x`, poolSize: 2, connectTimeoutMs: 2000 })
  refusing = openDatabase({ url: 'postgresql://u:p@127.0.0.1:1/x', poolSize: 2, connectTimeoutMs: 2000 })
})

afterAll(async () => {
  await Promise.all([refusing.close(), hangingUp.close()])
  server.close()
})

it.each(Object.entries(WAYS))('%s says that the database is away', async (_name, way) => {
  for (const database of [refusing, hangingUp]) {
    await expect(way(database)).rejects.toMatchObject({
      name: 'ConnectionLost',
      code: 'unavailable',
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) },
    })
  }
})

it('of a server that nobody reaches the cause names the address, for logs and the command line', async () => {
  const error = await refusing.query({ text: 'SELECT 1' }).catch((thrown: unknown) => thrown)
  expect(describe(error)).toBe('The database cannot be reached; try again: connect ECONNREFUSED 127.0.0.1:1')
})
