/**
 * A segment of the soak's load in a process of its own: `node bench/soak/load.ts '<json of SegmentOrder>'` prints one line, a
 * `SegmentResult`. Reads, lists, lookups, writes with an Idempotency-Key and their repeats; beside them an import every second and
 * an export now and then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { type LoadOrder, type Operation, requestOf } from '../api/load.ts'

export interface SegmentOrder extends Omit<LoadOrder, 'operation' | 'graphql'> {
  /** Requests per second; absent: as many as there are answers. */
  readonly rate?: number
}

export interface SegmentResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: number
  /** What failed: a status or an error, and how often. */
  readonly failed: Readonly<Record<string, number>>
  readonly imports: number
  readonly exports: number
  /** Players that this segment has changed, at most. */
  readonly changed: number
}

/** Of a hundred requests. */
const MIX: readonly (readonly [Operation | 'repeat', number])[] = [
  ['get', 48],
  ['list', 14],
  ['lookup', 10],
  ['post', 12],
  ['repeat', 2],
  ['patch', 14],
]
const WHEEL = MIX.flatMap(([operation, share]) => Array.from({ length: share }, () => operation))
const IMPORT_EVERY_MS = 1_000
const IMPORT_LINES = 20
const EXPORT_EVERY_MS = 20_000

class Load {
  readonly #order: SegmentOrder
  readonly failed: Record<string, number> = {}
  #n = 0
  #posted = 0
  #patched = 0
  imports = 0
  exports = 0

  constructor(order: SegmentOrder) {
    this.#order = order
  }

  get changed(): number {
    return this.#patched
  }

  next() {
    // A step that has no factor in common with 100 mixes the kinds evenly.
    const n = this.#n++
    const operation = WHEEL[(n * 37) % WHEEL.length] ?? 'get'
    if (operation === 'post') return this.#post(this.#posted++)
    // The last one that is surely over.
    if (operation === 'repeat') return this.#posted > 200 ? this.#post(this.#posted - 200) : this.#of('get', n)
    return this.#of(operation, operation === 'patch' ? this.#patched++ : n)
  }

  #of(operation: Operation, n: number) {
    return requestOf({ ...this.#order, operation }, n)
  }

  #post(n: number) {
    const post = this.#of('post', n)
    return { ...post, headers: { ...post.headers, 'idempotency-key': `soak-${this.#order.round}-${n}` } }
  }

  fail(what: string): void {
    this.failed[what] = (this.failed[what] ?? 0) + 1
  }

  async import(): Promise<void> {
    const first = this.imports++ * IMPORT_LINES
    const lines = Array.from({ length: IMPORT_LINES }, (_, i) => {
      const username = `bulk-${this.#order.round}-${first + i}`
      return `${JSON.stringify({ username, displayName: username, email: `${username}@example.com`, country: 'DE' })}\n`
    })
    const type = 'application/x-ndjson'
    const answer = await this.#ask('/v1/imports/players', {
      method: 'POST',
      headers: { 'content-type': type, accept: type },
      body: lines.join(''),
    })
    const created = answer?.match(/"status":"created"/g)?.length
    if (answer !== undefined && created !== IMPORT_LINES) this.fail(`import: ${created ?? 0} of ${IMPORT_LINES} lines`)
  }

  async export(): Promise<void> {
    this.exports++
    const answer = await this.#ask('/v1/players?country=FR', { headers: { accept: 'application/x-ndjson' } })
    if (answer !== undefined && !/"sha256"/.test(answer.slice(-400))) this.fail('export: no end line')
  }

  async #ask(path: string, init: RequestInit): Promise<string | undefined> {
    try {
      const headers = { ...init.headers, authorization: `Bearer ${this.#order.token}` }
      const answer = await fetch(`${this.#order.url}${path}`, { ...init, headers })
      const text = await answer.text()
      if (answer.ok) return text
      this.fail(`${path.split('?')[0]} ${answer.status}`)
    } catch (error) {
      this.fail(`${path.split('?')[0]} ${(error as Error).message}`)
    }
    return undefined
  }
}

async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }
}

async function run(order: SegmentOrder): Promise<SegmentResult> {
  const load = new Load(order)
  const over = new AbortController()
  const beside = [
    every(IMPORT_EVERY_MS, over.signal, () => load.import()),
    every(EXPORT_EVERY_MS, over.signal, () => load.export()),
  ]
  const result = await autocannon({
    url: order.url,
    connections: order.connections,
    duration: order.seconds,
    ...(order.rate === undefined ? {} : { overallRate: order.rate }),
    headers: { authorization: `Bearer ${order.token}` },
    requests: [
      {
        setupRequest(request) {
          const { headers, ...parts } = load.next()
          return Object.assign(request, parts, { headers: { ...request.headers, ...headers } })
        },
      },
    ],
  })
  over.abort()
  await Promise.all(beside)
  if (result.non2xx > 0) load.failed['not 2xx'] = result.non2xx
  if (result.errors + result.timeouts > 0) load.failed['no answer'] = result.errors + result.timeouts
  return {
    requests: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: Object.values(load.failed).reduce((sum, count) => sum + count, 0),
    failed: load.failed,
    imports: load.imports,
    exports: load.exports,
    changed: load.changed + order.connections,
  }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as SegmentOrder)))
