import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import type { OpenLake } from './test-lake.ts'

const DAY_MS = 24 * 3_600_000

/** Long after everything: each snapshot but the current one may go. */
export const muchLater = () => new Date(Date.now() + 60 * DAY_MS)

/** What writes the lake, by name. @returns what a terminal would show. */
export const WORKS = {
  run: async ({ lake }: OpenLake) => (await runSnapshot(lake)).id,
  unload: async ({ lake }: OpenLake) =>
    (await runSnapshot({ ...lake, settings: { ...lake.settings, engine: 'spark' } })).id,
  recover: async ({ lake }: OpenLake) => JSON.stringify(await recoverSnapshots(lake)),
  retain: async ({ lake }: OpenLake) => JSON.stringify(await retainSnapshots(lake, { now: muchLater() })),
} as const

export type Work = keyof typeof WORKS
