import { count, size } from './terminal.ts'

/** What is shown of a job on standard error. */
export interface ShownJob {
  readonly onLine: (line: string) => void
  /** What the job said beside its log, last lines first to go: Java's words on why it ended. */
  rest(): string
}

type Facts = Readonly<Record<string, unknown>>

const REST_LINES = 40
const LONGEST_LINE = 2_000
const LONGEST_FACT = 200
/** Said by the line itself, or of no use to somebody who watches. */
const SILENT = new Set(['time', 'event', 'name', 'job', 'job_run_id'])
const plural = (n: number, what: string) => `${count(n)} ${what}${n === 1 ? '' : 's'}`
const UNITS: Readonly<Record<string, (value: number) => string>> = {
  rows: (n) => `${count(n)} rows`,
  files: (n) => plural(n, 'file'),
  tables: (n) => plural(n, 'table'),
  snapshots: (n) => plural(n, 'snapshot'),
  bytes: size,
  seconds: (s) => `${s.toFixed(1)} s`,
}

function parsed(line: string): Facts | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const facts = JSON.parse(line) as Facts
    return typeof facts.event === 'string' ? facts : undefined
  } catch {
    return undefined
  }
}

function factText(name: string, value: unknown): string {
  if (typeof value === 'number') return UNITS[name]?.(value) ?? `${name.replaceAll('_', ' ')} ${count(value)}`
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const shown = text.length > LONGEST_FACT ? `${text.slice(0, LONGEST_FACT)}…` : text
  return name === 'table' || name === 'run_id' || name === 'snapshot_id'
    ? shown
    : `${name.replaceAll('_', ' ')} ${shown}`
}

/** A line of the job's log in words; undefined where it says nothing to somebody who watches. */
export function jobLine(facts: Facts): string | undefined {
  const event = String(facts.event)
  if (event === 'job-started') return undefined
  if (event === 'job-failed') return `${String(facts.code)}: ${String(facts.message)}`
  // A run is named where it begins and where it is seen; between the two there is no other.
  const silent = (name: string) => SILENT.has(name) || (name === 'run_id' && facts.table !== undefined)
  const told = Object.entries(facts).filter(([name, value]) => !silent(name) && value !== null)
  const words = told.map(([name, value]) => factText(name, value)).join(', ')
  const what = event === 'job-done' ? 'done' : event.replaceAll('-', ' ')
  return `  ${what}${words === '' ? '' : `: ${words}`}`
}

export interface ShowOptions {
  /** The log as it is, one JSON object a line. */
  readonly json?: boolean
  /** What Spark and Java say, too. */
  readonly verbose?: boolean
}

/** Shows the log of a job; what is no line of it is kept for the case that the job fails. */
export function showJob({ json, verbose }: ShowOptions, write: (line: string) => void): ShownJob {
  const rest: string[] = []
  return {
    onLine(given) {
      const facts = parsed(given)
      if (facts === undefined) {
        const line = given.slice(0, LONGEST_LINE)
        rest.push(line)
        if (rest.length > REST_LINES) rest.shift()
        if (verbose && !json) write(line)
        return
      }
      const line = json ? given : jobLine(facts)
      if (line !== undefined) write(line)
    },
    rest: () => rest.join('\n'),
  }
}
