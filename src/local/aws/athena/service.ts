import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../../logger.ts'
import type { Catalogue, JsonService, ObjectStore } from '../ports.ts'
import { type Execution, isFinal } from './api/execution.ts'
import { Executor } from './api/executor.ts'
import { JsonFolder } from './api/json-folder.ts'
import { metadataOperations } from './api/metadata-operations.ts'
import { queryOperations } from './api/query-operations.ts'
import {
  type NamedQuery,
  namedQueryOperations,
  type Prepared,
  preparedKey,
  preparedOperations,
  tagOperations,
} from './api/saved-operations.ts'
import { ensurePrimary, type WorkGroup, workGroupOperations } from './api/work-groups.ts'

const KEEP_RESULTS_MS = 7 * 24 * 3600_000
const CLEAN_EVERY_MS = 3600_000

export interface AthenaOptions {
  /** Folder of the endpoint's state; Athena's lies in `athena/` of it. */
  readonly dir: string
  readonly store: ObjectStore
  readonly catalogue: Catalogue
  readonly log: Logger
  /** Executions and results older than this are removed; default 7 days. */
  readonly keepResultsMs?: number
}

export type AthenaService = JsonService & {
  /** Process ids of the children that run queries. */
  childPids(): number[]
}

/** Athena over a catalogue and an object store. Executions that a stop of the process cut end FAILED at the next start. */
export async function openAthena({
  dir,
  store,
  catalogue,
  log,
  keepResultsMs = KEEP_RESULTS_MS,
}: AthenaOptions): Promise<AthenaService> {
  const root = join(dir, 'athena')
  rmSync(join(root, 'work'), { recursive: true, force: true })
  const folder = <T>(name: string) => new JsonFolder<T>(join(root, name))
  const executions = folder<Execution>('executions')
  const groups = folder<WorkGroup>('work-groups')
  const named = folder<NamedQuery>('named-queries')
  const statements = folder<Prepared>('prepared-statements')
  const tags = folder<Record<string, string>>('tags')
  await ensurePrimary(groups)
  for (const e of executions.values())
    if (!isFinal(e.state))
      await executions.put(e.id, {
        ...e,
        state: 'FAILED',
        reason: 'GENERIC_INTERNAL_ERROR: the local endpoint was stopped while the query ran',
        errorCategory: 1,
        completed: Date.now() / 1000,
      })

  const prepared = {
    get: (group: string, name: string) => statements.get(preparedKey(group, name))?.query,
    put: (workGroup: string, name: string, query: string) =>
      statements.put(preparedKey(workGroup, name), { workGroup, name, query, modified: Date.now() / 1000 }),
    delete: async (group: string, name: string) => {
      const known = statements.get(preparedKey(group, name)) !== undefined
      await statements.delete(preparedKey(group, name))
      return known
    },
  }
  const executor = new Executor({ dir: root, store, catalogue, log, executions, prepared })
  const forgetGroup = async (name: string) => {
    for (const p of statements.values()) if (p.workGroup === name) await statements.delete(preparedKey(name, p.name))
  }
  const clean = async () => {
    const before = (Date.now() - keepResultsMs) / 1000
    for (const e of executions.values()) {
      if (!isFinal(e.state) || (e.completed ?? e.submitted) > before) continue
      await rm(join(root, 'results', e.id), { force: true })
      await executions.delete(e.id)
    }
  }
  const cleaning = () =>
    void clean().catch((error: unknown) => log.warn({ err: error }, 'old query results could not be removed'))
  await clean()
  const timer = setInterval(cleaning, CLEAN_EVERY_MS)
  timer.unref()

  return {
    target: 'AmazonAthena',
    operations: {
      ...queryOperations({ dir: root, executions, groups, executor }),
      ...workGroupOperations(groups, forgetGroup),
      ...metadataOperations(catalogue),
      ...namedQueryOperations(named),
      ...preparedOperations(statements),
      ...tagOperations(tags),
    },
    childPids: () => executor.childPids(),
    async close() {
      clearInterval(timer)
      await executor.close()
      await Promise.all([groups.flush(), named.flush(), statements.flush(), tags.flush()])
    },
  }
}
