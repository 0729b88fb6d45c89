import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, it } from 'vitest'
import { lines } from '../../src/http/answer.ts'
import type { CursorCodec } from '../../src/http/cursor.ts'
import { send, stream } from '../../src/http/send.ts'

/** What `send` comes to when the client leaves after the first piece. */
async function leftAfterFirst(batches: (left: Promise<unknown>) => AsyncIterable<readonly unknown[]>): Promise<void> {
  const sent = Promise.withResolvers<void>()
  const app = express()
  app.get('/', (request, response) => {
    const answer = lines(batches(once(response, 'close')))
    send(answer, request, response, { cursors: {} as CursorCodec }).then(sent.resolve, sent.reject)
  })
  const server = app.listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const request = http.get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const leave = async () => {
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      await once(response, 'data')
      response.destroy()
    }
    await Promise.all([sent.promise, leave()])
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

it('takes a client that leaves in the middle of an answer for no failure, and ends the iteration', async () => {
  let ended = false
  await leftAfterFirst(async function* (left) {
    try {
      yield [{ line: 1 }]
      await left
      yield [{ line: 2 }]
    } finally {
      ended = true
    }
  })
  expect(ended).toBe(true)
})

it('still tells a failure of the answer itself', async () => {
  const failing = leftAfterFirst(async function* () {
    yield [{ line: 1 }]
    throw new Error('broken')
  })
  await expect(failing).rejects.toThrow('broken')
})

it('cuts a client that does not read, and ends the iteration', async () => {
  let ended = false
  const sent = Promise.withResolvers<void>()
  const app = express()
  app.get('/', (_request, response) => {
    async function* endless() {
      try {
        for (;;) yield 'x'.repeat(1 << 20)
      } finally {
        ended = true
      }
    }
    stream(endless(), response, 50).then(sent.resolve, sent.reject)
  })
  const server = app.listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const request = http.get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    await sent.promise
    expect(ended).toBe(true)
    response.resume()
    await expect(once(response, 'end')).rejects.toThrow('aborted')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
