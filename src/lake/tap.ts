import { AsyncLocalStorage } from 'node:async_hooks'
import type { AthenaClient } from '@aws-sdk/client-athena'
import type { GlueClient } from '@aws-sdk/client-glue'
import type { S3Client } from '@aws-sdk/client-s3'
import { kindOfKey } from './object-keys.ts'
import { traceCalls } from './trace-calls.ts'

/**
 * Told of every call that leaves the process and of every write of a control row. It may count, wait, fail the call by throwing, or
 * end the process: see `snapshot/faults.ts`. Production has none, which costs one comparison a call.
 */
export interface Tap {
  /** Nothing of the call has been sent. */
  before(name: string): void | Promise<void>
  /** The request is on its way, its answer is not here; never for control rows. */
  during?(name: string): void
  /** The answer is here, whatever it says; nobody has read it yet. */
  after(name: string): void | Promise<void>
}

/** Runs `call` between the two ends of the tap. */
export async function tapped<T>(tap: Tap | undefined, name: string, call: () => Promise<T>): Promise<T> {
  if (tap === undefined) return call()
  await tap.before(name)
  const answer = await call()
  await tap.after(name)
  return answer
}

/** A request is on the wire about so long after the client was given it. */
const ON_THE_WAY_MS = 1

const right = new AsyncLocalStorage<() => Promise<void>>()

/**
 * Runs `work` with the right to call AWS: before each request that it sends through a client of `watchClient`, however deep, `check` must
 * resolve. A process that slept through its lease is so stopped before its next request, wherever it was when it fell asleep.
 */
export function whileAllowed<T>(check: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  return right.run(check, work)
}

/**
 * Asks `whileAllowed` before every request of a client, repeated ones as well, at the last moment before the socket; and taps it there.
 * Calls have spans where there are traces.
 *
 * @returns the client.
 */
export function watchClient<Client extends S3Client | GlueClient | AthenaClient>(
  client: Client,
  tap: Tap | undefined,
): Client {
  const stack = (client as S3Client).middlewareStack
  stack.add(
    (next, context) => async (args) => {
      if (tap === undefined) {
        await right.getStore()?.()
        return next(args)
      }
      const name = callName(context.commandName ?? '', args.input)
      await tap.before(name)
      await right.getStore()?.()
      const answer = next(args)
      setTimeout(() => tap.during?.(name), ON_THE_WAY_MS)
      try {
        return await answer
      } finally {
        await tap.after(name)
      }
    },
    { step: 'deserialize', priority: 'low', name: 'watch', override: true },
  )
  return traceCalls(client)
}

/**
 * `UploadPart`, `PutObject-manifest`, `StartQueryExecution-view`: the operation, and where one operation serves several purposes, which.
 */
function callName(command: string, input: object): string {
  const operation = command.replace(/Command$/, '')
  if (operation === 'PutObject' || operation === 'GetObject') {
    return `${operation}-${kindOfKey((input as { Key?: string }).Key ?? '')}`
  }
  if (operation === 'DeleteObjects') {
    const [first] = (input as { Delete?: { Objects?: { Key?: string }[] } }).Delete?.Objects ?? []
    return `${operation}-${kindOfKey(first?.Key ?? '')}`
  }
  if (operation === 'StartQueryExecution') {
    const sql = (input as { QueryString?: string }).QueryString ?? ''
    return `${operation}-${/\bCREATE OR REPLACE VIEW\b/.test(sql) ? 'view' : 'query'}`
  }
  return operation
}
