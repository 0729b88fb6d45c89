import net from 'node:net'

/** Where a tap strikes: the moment before the server gets a statement, or after it has done it and before anybody hears so. */
export interface Strike {
  /** 1 is the first statement after `arm`. */
  readonly at: number
  readonly moment: 'before' | 'after'
  /** Called once; from then on nothing passes in either direction. */
  readonly kill: () => void
}

/**
 * A way to a database that counts its statements: a simple query, or an extended one up to its Sync (PostgreSQL documentation,
 * chapter "Frontend/Backend Protocol"). Each passes as a whole or not at all.
 */
export interface StatementTap {
  readonly url: string
  /** Counts from 0 again. */
  arm(strike?: Strike): void
  /** Statements since `arm`. */
  count(): number
  close(): Promise<void>
}

const QUERY = 'Q'.charCodeAt(0)
const SYNC = 'S'.charCodeAt(0)
const READY = 'Z'.charCodeAt(0)

/** Cuts a stream into messages of the protocol; `first` has no type byte. */
function messages(take: (type: number, bytes: Buffer) => void, startsWithoutType: boolean) {
  let rest: Buffer = Buffer.alloc(0)
  let untyped = startsWithoutType
  return (piece: Buffer) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (;;) {
      const head = untyped ? 0 : 1
      if (rest.length < head + 4) return
      const size = head + rest.readUInt32BE(head)
      if (rest.length < size) return
      const bytes = rest.subarray(0, size)
      rest = rest.subarray(size)
      const type = untyped ? 0 : (bytes[0] ?? 0)
      untyped = false
      take(type, bytes)
    }
  }
}

export async function createStatementTap(databaseUrl: string): Promise<StatementTap> {
  const target = new URL(databaseUrl)
  const sockets = new Set<net.Socket>()
  let seen = 0
  let strike: Strike | undefined
  let struck = false

  const hit = (by: Strike) => {
    strike = undefined
    struck = true
    by.kill()
    for (const socket of sockets) socket.destroy()
  }

  function connect(client: net.Socket): void {
    const upstream = net.connect(Number(target.port), target.hostname)
    let waiting: Strike | undefined
    let statement: Buffer[] = []
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    const fromClient = messages((type, bytes) => {
      if (struck) return
      statement.push(bytes)
      const isExtended = 'PBDEC'.includes(String.fromCharCode(type)) && type !== 0
      if (isExtended) return
      if (type === QUERY || type === SYNC) {
        seen += 1
        if (strike?.at === seen) {
          if (strike.moment === 'before') return hit(strike)
          waiting = strike
        }
      }
      upstream.write(Buffer.concat(statement))
      statement = []
    }, true)
    const fromServer = messages((type, bytes) => {
      if (struck) return
      if (waiting === undefined) client.write(bytes)
      else if (type === READY) hit(waiting)
    }, false)
    client.on('data', fromClient)
    upstream.on('data', fromServer)
  }

  const server = net.createServer(connect)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as net.AddressInfo).port)
  return {
    url: url.href,
    arm(next) {
      seen = 0
      strike = next
      struck = false
    },
    count: () => seen,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
