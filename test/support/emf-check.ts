/** The rules of CloudWatch's "Specification: Embedded metric format", by which it takes a line's metrics or drops the line. */

interface Directive {
  readonly Namespace?: unknown
  readonly Dimensions?: unknown
  readonly Metrics?: readonly {
    readonly Name?: unknown
    readonly Unit?: unknown
    readonly StorageResolution?: unknown
  }[]
}

interface Line {
  readonly _aws?: { readonly Timestamp?: unknown; readonly CloudWatchMetrics?: readonly Directive[] }
  readonly [member: string]: unknown
}

const UNITS =
  /^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Percent|Count|Count\/Second|None)$/

/** Why CloudWatch would drop the line; empty: it takes it. */
export function emfProblems(text: string): string[] {
  let line: Line
  try {
    line = JSON.parse(text)
  } catch {
    return ['is no JSON']
  }
  const { _aws: meta } = line
  const problems: string[] = []
  if (!Number.isInteger(meta?.Timestamp)) problems.push('Timestamp is no whole number of milliseconds')
  if (!Array.isArray(meta?.CloudWatchMetrics)) problems.push('CloudWatchMetrics is no array')
  if (Buffer.byteLength(text) > 256 * 1024) problems.push('more than 256 KB')
  for (const directive of meta?.CloudWatchMetrics ?? []) problems.push(...directiveProblems(directive, line))
  return problems
}

function directiveProblems({ Dimensions, Metrics = [], Namespace }: Directive, line: Line): string[] {
  const problems: string[] = []
  if (typeof Namespace !== 'string' || !/^[\w .\-/#:]{1,255}$/.test(Namespace)) problems.push('Namespace')
  const sets = Array.isArray(Dimensions) ? (Dimensions as string[][]) : []
  if (sets.length === 0) problems.push('no Dimensions')
  for (const name of sets.flat()) {
    const value = line[name]
    if (typeof value !== 'string' || value.length === 0 || value.length > 1024) problems.push(`dimension ${name}`)
  }
  if (sets.some((set) => set.length > 30)) problems.push('more than 30 dimensions')
  if (Metrics.length === 0 || Metrics.length > 100) problems.push(`${Metrics.length} metrics`)
  for (const { Name, Unit = 'None' } of Metrics) {
    const value = line[String(Name)]
    const values = Array.isArray(value) ? value : [value]
    if (values.length > 100) problems.push(`${Name} has ${values.length} values`)
    if (values.length === 0 || !values.every(Number.isFinite)) problems.push(`${Name} is no number`)
    if (!UNITS.test(String(Unit))) problems.push(`unit ${Unit}`)
  }
  return problems
}

/** The values of a line by metric. */
export function metricsOf(text: string): Record<string, number[]> {
  const line = JSON.parse(text) as Line
  const names =
    line._aws?.CloudWatchMetrics?.flatMap(({ Metrics = [] }) => Metrics.map(({ Name }) => String(Name))) ?? []
  return Object.fromEntries(names.map((name) => [name, [line[name]].flat() as number[]]))
}
