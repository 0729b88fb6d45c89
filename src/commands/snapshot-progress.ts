import cliProgress from 'cli-progress'
import type { Progress, ProgressEvent } from '../lake/snapshot/lake.ts'
import type { Phase } from '../lake/snapshot/run-measurements.ts'
import { count, say, size } from './terminal.ts'

/** What is shown of a run on standard error while it goes on. */
export interface ShownProgress {
  readonly told: Progress
  /** Ends what moves on the terminal; may be called twice. */
  end(): void
}

type TableEvent = Extract<ProgressEvent, { kind: 'table' }>

export const PHASE_TEXT: Readonly<Record<Phase, string>> = {
  planning: 'checking database and contract',
  uploading: 'reading and uploading',
  preparing: 'counting, writing the manifest',
  crawler_wait: 'waiting for the crawler to be idle',
  completing: 'completing uploads, checking objects',
  manifest: 'committing',
  catalogue: 'registering partitions',
  crawl: 'crawling',
  views: 'moving the views, counting through them',
}

/** JSON lines for programs, bars on a terminal, lines elsewhere. */
export function showProgress({ json }: { readonly json: boolean }): ShownProgress {
  // Whoever listened may leave: the run goes on.
  process.stderr.on('error', () => undefined)
  if (json) return { told: jsonLines(say), end: () => undefined }
  return process.stderr.isTTY ? bars(process.stderr) : { told: plainLines(say), end: () => undefined }
}

const JSON_INTERVAL_MS = 1_000
const LINE_INTERVAL_MS = 10_000

/** Lets one event of a table pass in so long, and the last one. */
function thinned(intervalMs: number): (event: TableEvent) => boolean {
  const last = new Map<string, number>()
  return ({ done, table }) => {
    const now = performance.now()
    if (!done && now - (last.get(table) ?? Number.NEGATIVE_INFINITY) < intervalMs) return false
    last.set(table, now)
    return true
  }
}

/** One object a line; `kind` tells which. */
export function jsonLines(write: (line: string) => void): Progress {
  const passes = thinned(JSON_INTERVAL_MS)
  return (event) => {
    if (event.kind === 'table' && !passes(event)) return
    const { kind, ...facts } = event
    const shown = event.kind === 'tables' ? { expected: Object.fromEntries(event.expected) } : facts
    write(JSON.stringify({ time: new Date().toISOString(), kind, ...shown }))
  }
}

/** For logs and pipes: a line for each state, phase and finished table, and one every ten seconds of a large table. */
export function plainLines(write: (line: string) => void): Progress {
  const passes = thinned(LINE_INTERVAL_MS)
  const clock = new TableClock()
  const seen = new Set<string>()
  let expected: ReadonlyMap<string, number | null> = new Map()
  return (event) => {
    if (event.kind === 'waiting') write(`Waiting: ${event.reason}`)
    else if (event.kind === 'state') write(`${event.snapshotId}  ${event.state}`)
    else if (event.kind === 'phase') write(`  ${PHASE_TEXT[event.phase]}`)
    else if (event.kind === 'tables') {
      expected = event.expected
      clock.start()
    } else {
      // The first interval begins with the first event: a small table has one line, its last.
      const first = !seen.has(event.table)
      seen.add(event.table)
      const seconds = clock.seconds(event)
      if (passes(event) && (!first || event.done)) write(tableLine(event, expected.get(event.table) ?? null, seconds))
    }
  }
}

/** Tables are read one after another: one begins where the one before ended. */
class TableClock {
  #begunAt = performance.now()

  start(): void {
    this.#begunAt = performance.now()
  }

  /** How long the table of this event has been read. */
  seconds({ done }: TableEvent): number {
    const now = performance.now()
    const seconds = (now - this.#begunAt) / 1000
    if (done) this.#begunAt = now
    return seconds
  }
}

/** Too short a time says nothing. */
const rowsPerSecond = (rows: number, seconds: number) => (seconds < 0.5 ? undefined : Math.round(rows / seconds))

function tableLine({ bytes, done, rows, table }: TableEvent, estimate: number | null, seconds: number): string {
  const of = done || estimate === null ? '' : ` of about ${count(Math.max(estimate, rows))}`
  const rate = rowsPerSecond(rows, seconds)
  const text = `  ${table.padEnd(20)} ${count(rows).padStart(12)}${of} rows  ${size(bytes).padStart(10)}`
  return rate === undefined ? text : `${text}  ${count(rate)} rows/s`
}

const BAR = {
  format: '  {name} {bar} {rows} rows | {rate} rows/s | {bytes} | {left}',
  barsize: 24,
  hideCursor: true,
  clearOnComplete: false,
  stopOnComplete: false,
  autopadding: true,
} as const
/** What does not fit is cut off at the right, where the time that is left stands. */
const NARROW = { ...BAR, format: '  {name} {bar} {rows} rows | {bytes} | {left}', barsize: 12 } as const
const WIDE_COLUMNS = 108
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
const SPINNER_MS = 100
const DONE = '✔'
const FAILED = '✖'

export interface Terminal extends NodeJS.WritableStream {
  readonly columns?: number
}

/** A bar for each table while rows are read, then a line for each phase with its time. */
export function bars(terminal: Terminal): ShownProgress {
  return new Bars(terminal)
}

class Bars implements ShownProgress {
  readonly #terminal: Terminal
  #bars: cliProgress.MultiBar | undefined
  readonly #tables = new Map<string, cliProgress.SingleBar>()
  readonly #clock = new TableClock()
  #phase: { readonly text: string; readonly begunAt: number; readonly timer: NodeJS.Timeout } | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  readonly told: Progress = (event) => {
    if (event.kind === 'waiting') this.#line(`Waiting: ${event.reason}`)
    else if (event.kind === 'state' && event.state === 'planning') this.#line(`Snapshot ${event.snapshotId}`)
    else if (event.kind === 'state' && event.state === 'published') this.#settle(DONE)
    else if (event.kind === 'phase') this.#enter(event.phase)
    else if (event.kind === 'tables') this.#expect(event.expected)
    else if (event.kind === 'table') this.#table(event)
  }

  /** A phase that is still under way is the one that failed. */
  end(): void {
    this.#settle(FAILED)
  }

  #line(text: string): void {
    this.#settle(DONE)
    this.#terminal.write(`${text}\n`)
  }

  #enter(phase: Phase): void {
    this.#settle(DONE)
    const begunAt = performance.now()
    const text = PHASE_TEXT[phase]
    let turn = 0
    const show = () =>
      this.#terminal.write(`\r\u001b[2K  ${SPINNER[turn++ % SPINNER.length]} ${text} ${elapsed(begunAt)}`)
    show()
    this.#phase = { text, begunAt, timer: setInterval(show, SPINNER_MS) }
  }

  /** Ends what moves: of a phase its time stays, of tables their bars. */
  #settle(mark: string): void {
    this.#bars?.stop()
    this.#bars = undefined
    if (this.#phase === undefined) return
    clearInterval(this.#phase.timer)
    this.#terminal.write(`\r\u001b[2K  ${mark} ${this.#phase.text} ${elapsed(this.#phase.begunAt)}\n`)
    this.#phase = undefined
  }

  #expect(expected: ReadonlyMap<string, number | null>): void {
    // The phase goes on below the bars, without a line of its own until it ends.
    if (this.#phase) clearInterval(this.#phase.timer)
    this.#terminal.write('\r\u001b[2K')
    const shape = (this.#terminal.columns ?? 80) < WIDE_COLUMNS ? NARROW : BAR
    this.#bars = new cliProgress.MultiBar({ ...shape, stream: this.#terminal }, cliProgress.Presets.shades_classic)
    const width = Math.max(...[...expected.keys()].map((name) => name.length))
    for (const [name, rows] of expected) {
      const shown = { name: name.padEnd(width), rows: ''.padStart(13), rate: '-', bytes: '-', left: 'waiting' }
      this.#tables.set(name, this.#bars.create(Math.max(1, rows ?? 1), 0, shown))
    }
    this.#clock.start()
  }

  #table(event: TableEvent): void {
    const { bytes, done, rows, table } = event
    const bar = this.#tables.get(table)
    if (bar === undefined) return
    const seconds = this.#clock.seconds(event)
    // Estimates are the planner's: a bar that is full before the table's end moves its end.
    if (done || rows > bar.getTotal()) bar.setTotal(Math.max(1, rows))
    const rate = rowsPerSecond(rows, seconds)
    const left = rate ? `${Math.ceil((bar.getTotal() - rows) / rate)} s left` : ''
    bar.update(done ? Math.max(1, rows) : rows, {
      rows: count(rows).padStart(13),
      rate: rate === undefined ? '-' : count(rate),
      bytes: size(bytes),
      left: done ? `${seconds.toFixed(1)} s` : left,
    })
  }
}

function elapsed(begunAt: number): string {
  return `${((performance.now() - begunAt) / 1000).toFixed(1)} s`
}
