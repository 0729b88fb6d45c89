import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { LakeHolds } from '../lake/lake-holds.ts'
import { operator, withDatabase } from './composition.ts'
import { lakeTrail } from './lake-audit.ts'
import { print, say, table } from './terminal.ts'

interface HoldOptions {
  readonly reason: string
  readonly holder: string
  readonly for: string
  readonly json?: boolean
}

const UNITS_MS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }
const MOST_SHOWN = 1000

/** @throws UsageError unless it is `30min`, `2h` or `3d`, 7 days at most. */
export function holdTime(text: string): number {
  const [, amount = '', unit = ''] = /^([1-9]\d{0,4})(min|h|d)$/.exec(text) ?? []
  const ms = Number(amount) * (UNITS_MS[unit] ?? 0)
  if (ms > 0 && ms <= 7 * 86_400_000) return ms
  throw new UsageError('--for must be a time such as 30min, 2h or 3d, at most 7d')
}

async function hold(snapshotId: string, options: HoldOptions): Promise<void> {
  const expiresAt = new Date(Date.now() + holdTime(options.for))
  await withDatabase(async ({ database }) => {
    const { holder, reason } = options
    const made = await new LakeHolds(database, lakeTrail).add(snapshotId, { holder, reason, expiresAt }, operator())
    if (options.json) return print(JSON.stringify(made, null, 2))
    print(made.id)
    say(`${snapshotId} is held until ${expiresAt.toISOString()}; end it with "rocketgames release ${made.id}"`)
  })
}

async function holds({ json }: { json?: boolean }): Promise<void> {
  await withDatabase(async ({ database }) => {
    const list = await new LakeHolds(database).list({ limit: MOST_SHOWN })
    if (json) return print(JSON.stringify(list, null, 2))
    const rows = list.map(({ expiresAt, holder, id, reason, snapshotId }) => [
      ...[id, snapshotId, holder, reason],
      expiresAt.toISOString().slice(0, 19).replace('T', ' '),
    ])
    print(table(['hold', 'snapshot', 'holder', 'reason', 'until (UTC)'], rows))
  })
}

async function release(id: string): Promise<void> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
    throw new UsageError('A hold is named by its uuid: see "rocketgames holds"')
  await withDatabase(async ({ database }) => {
    await new LakeHolds(database, lakeTrail).release(id, operator())
    say('Released.')
  })
}

export function addHoldCommands(program: Command): void {
  program
    .command('hold <snapshot>')
    .description('keep a snapshot from being removed while somebody reads it; prints the hold')
    .requiredOption('--reason <text>', 'what it is needed for')
    .option('--for <time>', '30min, 2h, 3d; at most 7d', '2h')
    .option('--holder <name>', 'who reads', 'command line')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
A hold ends by itself. Glue jobs take theirs by the API: POST /v1/lake/snapshots/{id}/holds.
Exit codes: 0 held, 1 there is no such snapshot or it is being removed, 2 it could not run.

Example:
  HOLD=$(rocketgames hold 20261122t020000z-01kaq3c9 --reason "audit of November" --for 2d)
  rocketgames release "$HOLD"`,
    )
    .action(hold)
  program.command('holds').description('list the holds that have not run out').option('--json', 'as JSON').action(holds)
  program.command('release <hold>').description('end a hold').action(release)
}
