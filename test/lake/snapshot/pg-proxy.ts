import net from 'node:net'

export interface PgProxy {
  /** The same address as the database's, through the proxy. */
  readonly url: string
  /** Breaks every connection that is open now, as a network does that fails: without a word. */
  cut(): void
  /** Breaks the connection of the client with this port. */
  cutPort(port: number): void
  /** Passes nothing on any more, and says nothing: a cable that is pulled out. */
  freeze(): void
  close(): Promise<void>
}

/** Stands before one database, or in turn before several, as an endpoint that balances between readers does. */
export async function startPgProxy(...targets: readonly string[]): Promise<PgProxy> {
  const open = new Map<number, net.Socket>()
  let accepted = 0
  const server = net.createServer((client) => {
    const { hostname, port } = new URL(targets[accepted++ % targets.length] ?? '')
    const onward = net.connect(Number(port), hostname)
    onward.on('connect', () => open.set(onward.localPort ?? 0, onward))
    client.pipe(onward).pipe(client)
    const end = () => {
      open.delete(onward.localPort ?? 0)
      client.destroy()
      onward.destroy()
    }
    for (const socket of [client, onward]) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(targets[0] ?? '')
  url.port = String((server.address() as net.AddressInfo).port)
  return {
    url: url.href,
    cut() {
      for (const socket of open.values()) socket.destroy()
    },
    /** @param port as `pg_stat_activity.client_port` shows it. */
    cutPort: (port) => void open.get(port)?.destroy(),
    freeze() {
      for (const socket of open.values()) {
        socket.unpipe()
        socket.pause()
      }
    },
    async close() {
      for (const socket of open.values()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
