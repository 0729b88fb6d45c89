import net from 'node:net'

/**
 * A door before a database: shut, every connection is cut and new ones are refused, as when the server is away; silenced, nothing
 * goes through it any more and nobody is told, as when its machine is gone.
 */
export interface Gate {
  /** The database's URL through the door. */
  readonly url: string
  shut(): void
  silence(): void
  /** Lets new connections through; those that were cut or silenced stay so. */
  open(): void
  close(): Promise<void>
}

export async function createGate(databaseUrl: string): Promise<Gate> {
  const target = new URL(databaseUrl)
  const sockets = new Set<net.Socket>()
  let isOpen = true
  let isSilent = false
  const muted = (...some: net.Socket[]) => {
    for (const socket of some) socket.unpipe().pause()
  }
  const server = net.createServer((client) => {
    if (!isOpen) {
      client.destroy()
      return
    }
    const upstream = net.connect(Number(target.port), target.hostname)
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
    client.pipe(upstream).pipe(client)
    if (isSilent) muted(client, upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as net.AddressInfo).port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    shut() {
      isOpen = false
      cut()
    },
    silence() {
      isSilent = true
      muted(...sockets)
    },
    open() {
      isOpen = true
      isSilent = false
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
