import { setTimeout as sleep } from 'node:timers/promises'
import type { Replica } from './deployment.ts'

/** A request that did not get the answer that it should. Instants by `performance.now()`. */
export interface Failure {
  readonly kind: string
  readonly replica: string
  readonly began: number
  readonly ended: number
  /** `503 unavailable: …` or the socket's error. */
  readonly cause: string
}

export interface RoundRobin {
  /** As `fetch`, whatever host the address names. `sentTo` is told whom the request was given to. */
  fetch(request: Request, sentTo?: (replica: Replica) => void): Promise<Response>
  /** Looks after the replicas no more. */
  stop(): Promise<void>
}

const PROBE_EVERY_MS = 200

/**
 * What stands before the replicas, as a load balancer does: asks each whether it is ready, gives each request to the next one that is,
 * and to the other one when no connection could be made, for then nothing was sent. Nothing else is tried again.
 */
export function roundRobin(replicas: readonly Replica[]): RoundRobin {
  const away = new Set<Replica>()
  const stopped = new AbortController()
  const probing = Promise.all(replicas.map((replica) => probe(replica, away, stopped.signal)))
  let turn = 0
  return {
    async fetch(request, sentTo) {
      const body = request.body === null ? undefined : await request.arrayBuffer()
      const { method, headers, signal } = request
      const { pathname, search } = new URL(request.url)
      const first = turn++
      const inTurn = replicas.map((_, i) => replicas[(first + i) % replicas.length] as Replica)
      // Where none is ready, all are as good.
      const ready = inTurn.filter((replica) => !away.has(replica))
      const order = [...ready, ...inTurn.filter((replica) => away.has(replica))]
      for (const replica of order) {
        sentTo?.(replica)
        try {
          const init = { method, headers, signal, ...(body === undefined ? {} : { body }) }
          return await fetch(`${replica.url}${pathname}${search}`, init)
        } catch (error) {
          if (replica === order.at(-1) || !wasRefused(error)) throw error
        }
      }
      throw new Error('there is no replica')
    },
    async stop() {
      stopped.abort()
      await probing
    },
  }
}

async function probe(replica: Replica, away: Set<Replica>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const answer = await fetch(`${replica.url}/readyz`, { signal }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) away.delete(replica)
    else away.add(replica)
    await sleep(PROBE_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

const wasRefused = (error: unknown) =>
  ((error as Error).cause as { readonly code?: string } | undefined)?.code === 'ECONNREFUSED'

/** Why a `fetch` failed, in one line. */
export function causeOf(error: unknown): string {
  const { message, cause } = error as Error
  const { code, message: below } = (cause ?? {}) as { readonly code?: string; readonly message?: string }
  return [message, code, below].filter(Boolean).join(' ')
}
