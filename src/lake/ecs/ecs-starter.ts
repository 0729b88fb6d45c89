import type { ECSClient } from '@aws-sdk/client-ecs'
import type { Logger } from '../../logger.ts'
import { traceparent } from '../../tracing.ts'
import type { ClosingStarter } from '../closing-starter.ts'
import type { RetryBudget } from '../retries.ts'
import { runTask, type TaskPlace } from './run-task.ts'
import { taskEnd } from './task-end.ts'

export interface EcsStarterOptions {
  readonly client: ECSClient
  readonly place: TaskPlace & { readonly snapshotTask: string; readonly careTask: string }
  readonly logger: Logger
  /** Told when the task of a snapshot has stopped while it was watched: it may never have taken the snapshot. */
  readonly onSnapshotEnd?: (id: string, how: string) => Promise<void>
  /** Told when nobody watches the task any longer: a snapshot that it has not taken by now it never will. */
  readonly onWatchOver?: (id: string) => Promise<void>
  /** How long a task is watched: until its snapshot counts as not started anyway. */
  readonly watchMs: number
  readonly pollMs?: number
  readonly retries?: RetryBudget
}

/** A care task that was asked for within this time is not asked for again: it may not even run yet. */
const CARE_PAUSE_MS = 5 * 60_000

/**
 * Commands as tasks of Amazon ECS. They outlive this process, and nobody has to be told how they end: that a task takes its snapshot is
 * seen in the snapshot's row. What is watched, for as long as a task may need to begin, is one that stops before it could do that, an
 * image that cannot be pulled or a secret that is missing, so that the row can say why. Whoever is not there to watch (this process
 * stopped, or a function that is frozen) leaves it to recovery, which fails what nobody took in time.
 */
export class EcsStarter implements ClosingStarter {
  readonly #options: EcsStarterOptions
  readonly #closing = new AbortController()
  readonly #watching = new Set<Promise<void>>()
  #caredAt: number | undefined

  constructor(options: EcsStarterOptions) {
    this.#options = options
  }

  async snapshot(id: string): Promise<void> {
    const { place } = this.#options
    const arn = await this.#run(place.snapshotTask, 'snapshot', ['--json', '--id', id], { snapshotId: id })
    const watching = this.#watch(id, arn).finally(() => this.#watching.delete(watching))
    this.#watching.add(watching)
  }

  async recover(): Promise<void> {
    await this.#care()
  }

  async retention(): Promise<void> {
    await this.#care()
  }

  /** Ends watching. Tasks run on: they are not of this process. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#watching)
  }

  /** `care` does both, and its task does nothing else. */
  async #care(): Promise<void> {
    if (this.#caredAt !== undefined && performance.now() - this.#caredAt < CARE_PAUSE_MS) return
    await this.#run(this.#options.place.careTask, 'care', ['--json'])
    this.#caredAt = performance.now()
  }

  /** The word of the command is that of the task definition, which takes arguments alone. */
  async #run(
    task: string,
    command: 'snapshot' | 'care',
    words: readonly string[],
    about: { readonly snapshotId?: string } = {},
  ): Promise<string> {
    if (this.#closing.signal.aborted) throw new Error('The service is stopping')
    const { client, logger, place, retries } = this.#options
    // What the task does belongs to the trace of whoever asked for it.
    const environment = { TRACEPARENT: traceparent() }
    const arn = await runTask(client, place, { task, command: words, environment }, retries)
    logger.info({ command, ...about, task: arn }, 'a command of the lake was given to ECS')
    return arn
  }

  async #watch(id: string, arn: string): Promise<void> {
    const { client, logger, onSnapshotEnd, onWatchOver, place, pollMs = 15_000, watchMs } = this.#options
    let warned = false
    const how = await taskEnd(client, place.cluster, arn, {
      ...{ pollMs, forMs: watchMs, signal: this.#closing.signal },
      onError(error) {
        if (!warned) logger.warn({ err: error, snapshotId: id, task: arn }, 'the task of a snapshot cannot be watched')
        warned = true
      },
    })
    if (this.#closing.signal.aborted) return
    try {
      if (how === undefined) return await onWatchOver?.(id)
      logger.info({ snapshotId: id, task: arn, how }, 'the task of a snapshot has stopped')
      await onSnapshotEnd?.(id, `its task ${arn.split('/').at(-1)} stopped (${how})`)
    } catch (error) {
      logger.error({ err: error, snapshotId: id }, 'the end of a snapshot is not recorded')
    }
  }
}
