import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from '../../database/database.ts'
import { LakeProblem } from '../lake-problem.ts'
import { type Tap, tapped, whileAllowed } from '../tap.ts'
import type { Lake, Progress } from './lake.ts'
import { isGone, thisProcess } from './process-identity.ts'

interface LeaseRow {
  owner: string | null
  fence: bigint
  free: boolean
  host: string | null
  process_id: number | null
  process_started_at: string | null
}

export interface LeaseWait {
  /** How long it may be taken; default twice its lifetime. */
  readonly patienceMs?: number | undefined
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The right to write the lake, held by one process at a time. Its fence grows with each holder and stands in every control row
 * that the holder writes: a holder that lost the lease without noticing finds that its writes touch no row, and stops. The owner is
 * asked for as well: a standby that is promoted without the last writes may give the same fence once more.
 */
export class Lease {
  readonly owner: string
  readonly fence: bigint
  readonly #database: Lake['database']
  readonly #ttlMs: number
  readonly #tap: Tap | undefined
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  #beat: Promise<void> = Promise.resolve()
  #sentAt: Instant
  #released = false

  private constructor(
    database: Lake['database'],
    { fence, owner, sentAt }: Taken,
    ttlMs: number,
    tap: Tap | undefined,
  ) {
    this.#database = database
    this.owner = owner
    this.fence = fence
    this.#sentAt = sentAt
    this.#ttlMs = ttlMs
    this.#tap = tap
    this.#timer = setInterval(() => {
      this.#beat = this.#extend()
    }, ttlMs / 4)
    this.#timer.unref()
  }

  /** Aborts with `fenced` when somebody else holds the lease, or it could not be extended in time. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Runs `work`, none of whose requests to AWS is begun when the lease is over: what a process sends that slept (SIGSTOP, a machine
   * that was suspended, a long garbage collection) could undo the work of whoever took over meanwhile. In the last half of the lease, so
   * after a sleep, each request first extends it, or finds that it is lost; while the database is away requests are begun until the
   * lease ends. What remains are requests that were on their way already; `commit.ts` says why they do no harm.
   */
  guard<T>(work: () => Promise<T>): Promise<T> {
    return whileAllowed(() => this.#stillHeld(), work)
  }

  async #stillHeld(): Promise<void> {
    this.#lost.signal.throwIfAborted()
    if (this.#released) throw lost('it was given back')
    if (ageMs(this.#sentAt) < this.#ttlMs / 2) return
    await this.#extend()
    this.#lost.signal.throwIfAborted()
    if (ageMs(this.#sentAt) >= this.#ttlMs) this.#lose('it could not be extended in time')
    this.#lost.signal.throwIfAborted()
  }

  /**
   * Takes the lease if it is free, has run out, or belongs to a process of this host that is gone.
   *
   * @throws LakeProblem `lease_taken` naming its holder.
   */
  static async take(database: Lake['database'], ttlMs: number, tap?: Tap): Promise<Lease> {
    const owner = randomUUID()
    const me = thisProcess()
    const row = await readLease(database)
    if (!row || !(row.free || holderIsGone(row))) throw taken(row)
    // A free lease may have been extended since; that of a dead process cannot be.
    const mustHaveRunOut = row.free
    const sentAt = now()
    const take = () => database.prisma.$queryRaw<{ fence: bigint }[]>`
      UPDATE lake_lease
         SET owner = ${owner}, fence = fence + 1, expires_at = now() + ${ttlMs} * interval '1 millisecond',
             host = ${me.host}, process_id = ${me.processId}, process_started_at = ${me.startedAt}
       WHERE id = 1 AND fence = ${row.fence}
         AND (expires_at < now() OR NOT ${mustHaveRunOut})
       RETURNING fence`
    const updated = await tapped(tap, 'control-lease-take', take)
    if (!updated[0]) throw taken(undefined)
    return new Lease(database, { owner, fence: updated[0].fence, sentAt }, ttlMs, tap)
  }

  /**
   * Takes the lease as soon as its holder gives it back: recovery, retention and the end of a snapshot hold it for a short time.
   *
   * @throws LakeProblem `lease_taken` when it is not free in time; the signal's reason.
   */
  static async wait(
    { database, settings: { leaseTtlMs }, tap }: Pick<Lake, 'database' | 'settings' | 'tap'>,
    { patienceMs = 2 * leaseTtlMs, progress, signal }: LeaseWait = {},
  ): Promise<Lease> {
    const deadline = Date.now() + patienceMs
    for (let told = false; ; told = true) {
      signal?.throwIfAborted()
      try {
        return await Lease.take(database, leaseTtlMs, tap)
      } catch (error) {
        const taken = error instanceof LakeProblem && error.code === 'lease_taken'
        if (!taken || Date.now() > deadline) throw error
        if (!told) progress?.({ kind: 'waiting', reason: error.message })
      }
      await sleep(Math.min(1_000, leaseTtlMs / 4), undefined, signal ? { signal } : {})
    }
  }

  /**
   * For writes that no snapshot's own row guards: does this process still hold the lease? Within a transaction nobody can take it
   * until the transaction ends; a process that sleeps in the middle of it loses it when its lease is over, or nobody could ever take over.
   *
   * @throws LakeProblem `fenced`.
   */
  async confirm(tx: Pick<Transaction, '$queryRaw'> = this.#database.prisma): Promise<void> {
    const held = await tx.$queryRaw<unknown[]>`
      SELECT set_config('idle_in_transaction_session_timeout', ${String(this.#ttlMs)}, true)
        FROM lake_lease WHERE id = 1 AND fence = ${this.fence} AND owner = ${this.owner} FOR SHARE`
    if (held.length === 0) throw lost('another process took it')
  }

  /** Gives the lease back; never throws. */
  async release(): Promise<void> {
    clearInterval(this.#timer)
    this.#released = true
    await this.#beat
    const release = () =>
      this.#database.prisma.$executeRaw`
        UPDATE lake_lease SET expires_at = now() - interval '1 second'
         WHERE id = 1 AND fence = ${this.fence} AND owner = ${this.owner}`
    await tapped(this.#tap, 'control-lease-release', release).catch(() => undefined)
  }

  async #extend(): Promise<void> {
    const sentAt = now()
    try {
      const extend = () => this.#database.prisma.$executeRaw`
        UPDATE lake_lease SET expires_at = now() + ${this.#ttlMs} * interval '1 millisecond'
         WHERE id = 1 AND fence = ${this.fence} AND owner = ${this.owner}`
      const rows = await tapped(this.#tap, 'control-lease-extend', extend)
      if (rows === 0) this.#lose('another process took it')
      else this.#sentAt = sentAt
    } catch {
      // One missed beat is no loss; the fence in each write decides in the end.
      if (ageMs(this.#sentAt) > this.#ttlMs) this.#lose('it could not be extended in time')
    }
  }

  #lose(why: string): void {
    clearInterval(this.#timer)
    this.#lost.abort(lost(why))
  }
}

interface Taken {
  readonly owner: string
  readonly fence: bigint
  /** Before the statement that took it: the database counts from later. */
  readonly sentAt: Instant
}

/** By both clocks: the steady one stands still while a machine is suspended, the other one may be set. */
interface Instant {
  readonly steadyMs: number
  readonly wallMs: number
}

const now = (): Instant => ({ steadyMs: performance.now(), wallMs: Date.now() })

/** The longer time of the two: to ask once too often costs one statement. */
function ageMs({ steadyMs, wallMs }: Instant): number {
  return Math.max(performance.now() - steadyMs, Date.now() - wallMs)
}

function lost(why: string): LakeProblem {
  return new LakeProblem('fenced', `This process no longer holds the lease of the lake: ${why}`)
}

/**
 * The snapshot that was begun and is not over, and whose process is gone, as far as can be seen from here. One statement, so that a run
 * that is just ending is not taken for one.
 */
export async function abandonedSnapshot(database: Lake['database']): Promise<string | undefined> {
  const [row] = await database.prisma.$queryRaw<(LeaseRow & { snapshot_id: string })[]>`
    SELECT s.id AS snapshot_id, l.owner, l.fence, l.expires_at < now() AS free, l.host, l.process_id, l.process_started_at
      FROM lake_snapshots s CROSS JOIN lake_lease l
     WHERE s.running AND s.fence IS NOT NULL AND l.id = 1`
  return row && (row.free || holderIsGone(row)) ? row.snapshot_id : undefined
}

async function readLease(database: Lake['database']): Promise<LeaseRow | undefined> {
  const [row] = await database.prisma.$queryRaw<LeaseRow[]>`
    SELECT owner, fence, expires_at < now() AS free, host, process_id, process_started_at FROM lake_lease WHERE id = 1`
  return row
}

function holderIsGone({ host, process_id: processId, process_started_at: startedAt }: LeaseRow): boolean {
  return host !== null && processId !== null && startedAt !== null && isGone({ host, processId, startedAt })
}

function taken(row: LeaseRow | undefined): LakeProblem {
  const holder = row?.host ? `process ${row.process_id} on ${row.host}` : 'another process'
  return new LakeProblem(
    'lease_taken',
    `${holder} is writing the lake; wait for it or look at GET /v1/lake/snapshots`,
    {
      processId: row?.process_id ?? null,
    },
  )
}
