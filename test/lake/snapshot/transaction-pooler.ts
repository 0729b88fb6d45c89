import net from 'node:net'
import pg from 'pg'

/** PostgreSQL documentation, "Message Formats": a startup message with this code asks for TLS. */
const SSL_REQUEST = 80_877_103

export interface PoolerOptions {
  readonly servers: number
  /** What the login tells: a number of the pooler's own, as most do, or that of the server process that is used next. */
  readonly pid: 'made up' | 'of a server'
}

export interface TransactionPooler {
  readonly url: string
  close(): Promise<void>
}

interface ServerSide {
  readonly pid: number
  readonly socket: net.Socket
  client: net.Socket | undefined
}

const message = (type: string, body: Buffer) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}
const int32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, i * 4)
  return bytes
}

/** Whole messages of a stream: type byte, length, body. */
function framed(onMessage: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1)
      onMessage(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}

/** A logged-in connection, taken from `pg` after its login. */
async function serverSide(url: string): Promise<ServerSide> {
  const client = new pg.Client(url)
  await client.connect()
  const inner = client as unknown as { processID: number; connection: { stream: net.Socket } }
  const socket = inner.connection.stream
  socket.removeAllListeners()
  socket.on('error', () => undefined)
  return { pid: inner.processID, socket, client: undefined }
}

/**
 * A pooler in transaction mode: a client gets whatever server connection was used last, and gives it back when its transaction
 * ends.
 */
export async function startTransactionPooler(target: string, options: PoolerOptions): Promise<TransactionPooler> {
  const all = await Promise.all(Array.from({ length: options.servers }, () => serverSide(target)))
  const idle = [...all]
  const waiting: (() => void)[] = []
  const clients = new Set<net.Socket>()
  for (const server of all) {
    server.socket.on(
      'data',
      framed((bytes) => {
        server.client?.write(bytes)
        // ReadyForQuery outside of a transaction.
        if (bytes[0] !== 0x5a || bytes[5] !== 0x49) return
        server.client = undefined
        idle.push(server)
        waiting.shift()?.()
      }),
    )
  }
  const listener = net.createServer((client) => {
    clients.add(client)
    client.on('error', () => client.destroy())
    const send = (bytes: Buffer) => {
      let server = all.find((each) => each.client === client)
      server ??= idle.pop()
      if (!server) return waiting.push(() => send(bytes))
      server.client = client
      return server.socket.write(bytes)
    }
    const frames = framed((bytes) => {
      if (bytes[0] !== 0x58) send(bytes)
    })
    let started = false
    client.on('data', (chunk) => {
      if (started) return frames(chunk)
      if (chunk.readInt32BE(4) === SSL_REQUEST) return client.write('N')
      started = true
      const pid = options.pid === 'made up' ? 4_711 : (idle.at(-1)?.pid ?? 0)
      const answers = [message('R', int32(0)), message('K', int32(pid, 1)), message('Z', Buffer.from('I'))]
      return client.write(Buffer.concat(answers))
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.port = String((listener.address() as net.AddressInfo).port)
  return {
    url: url.href,
    async close() {
      for (const socket of [...clients, ...all.map((server) => server.socket)]) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
