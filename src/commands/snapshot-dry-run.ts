import type { TableDifference } from '../lake/snapshot/contract-history.ts'
import type { DryRun } from '../lake/snapshot/dry-run.ts'
import { count, print, size, table } from './terminal.ts'

const VERDICTS: Readonly<Record<DryRun['verdict'], string>> = {
  ready: 'A snapshot would be taken and published.',
  breaking: 'No snapshot would be taken: the database does not match the contract.',
  drift: 'A snapshot would be taken and not published: the catalogue has drifted.',
}

/** Prints what a snapshot would do. Exit code 1 where it would not be published. */
export function printDryRun(plan: DryRun, json: boolean): void {
  if (plan.verdict !== 'ready') process.exitCode = 1
  print(json ? JSON.stringify(plan, null, 2) : dryRunText(plan))
}

export function dryRunText(plan: DryRun): string {
  const { catalogue, running, schema, totals } = plan
  const rows = plan.tables.map((t) => [
    t.name,
    `${t.rowsFrom === 'statistics' ? '' : '~'}${count(t.rows)}`,
    size(t.bytes),
    t.lastRows === null ? '' : count(t.lastRows),
    t.lastBytes === null ? '' : size(t.lastBytes),
    count(t.files),
    count(t.readers),
  ])
  const keys = plan.tables.flatMap((t) => t.firstKeys)
  const sections: [string, readonly string[]][] = [
    ['First keys of each reader', keys],
    ['Contracts that changed since the last snapshot', schema.differences.map(differenceText)],
    ['Breaking differences', schema.breaking],
    ['To paste into datasets.ts', schema.patch === '' ? [] : schema.patch.split('\n')],
    ['Additive differences', schema.additive],
    ['Notes', schema.notes],
    ['Changes in the catalogue', catalogue.changes],
    ['Settings of the crawler that differ', catalogue.crawler],
    ['Drift that stops the publication', catalogue.drifts],
  ]
  return [
    VERDICTS[plan.verdict],
    ...(running ? [`Snapshot ${running.id} is ${running.state} now; this one would have to wait for it.`] : []),
    `Compared with ${plan.previousSnapshotId ?? 'nothing: no snapshot has been published yet'}.`,
    table(['table', 'rows', 'bytes', 'last rows', 'last bytes', 'files', 'readers'], rows),
    `About ${count(totals.rows)} rows and ${size(totals.bytes)} in ${count(totals.files)} files; manifest ${plan.manifestKey}`,
    ...sections.map(([title, lines]) => section(title, lines)),
  ].join('\n')
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? `${title}: none` : `${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function differenceText({ table: name, from, to, added, removed, retyped }: TableDifference): string {
  const short = (fingerprint: string | null) => fingerprint?.slice(0, 12) ?? 'none'
  const columns = [
    ...added.map((column) => `+ ${column.name} ${column.type}`),
    ...removed.map((column) => `- ${column.name} ${column.type}`),
    ...retyped.map((column) => `${column.name} ${column.from} -> ${column.to}`),
  ]
  const more = columns.length === 0 ? '' : `: ${columns.join(', ')}`
  return `${name} ${short(from)} -> ${short(to)}${more}`
}
