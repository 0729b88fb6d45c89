import { setTimeout as sleep } from 'node:timers/promises'
import { DescribeTasksCommand, type ECSClient, type Task } from '@aws-sdk/client-ecs'

export interface TaskWatch {
  readonly pollMs: number
  /** Nobody looks any longer than this. */
  readonly forMs: number
  readonly signal: AbortSignal
  /** Told of what keeps us from looking; it does not end the watch. */
  readonly onError: (error: unknown) => void
}

/**
 * Waits for the end of a task.
 *
 * @returns how it ended, in the words of ECS and one line; undefined when it did not for so long, as far as can be seen: ECS does not know
 *   it, or nobody may look.
 */
export async function taskEnd(
  client: ECSClient,
  cluster: string,
  arn: string,
  { forMs, onError, pollMs, signal }: TaskWatch,
): Promise<string | undefined> {
  const deadline = Date.now() + forMs
  let waitMs = pollMs
  while (Date.now() < deadline) {
    try {
      await sleep(Math.min(waitMs, Math.max(0, deadline - Date.now())), undefined, { signal })
      if (waitMs > pollMs) return undefined
      const { tasks = [] } = await client.send(new DescribeTasksCommand({ cluster, tasks: [arn] }), {
        abortSignal: signal,
      })
      if (tasks[0]?.lastStatus === 'STOPPED') return endOf(tasks[0])
    } catch (error) {
      if (signal.aborted) return undefined
      onError(error)
      // To ask again would be refused again.
      if ((error as Error).name === 'AccessDeniedException') waitMs = Number.POSITIVE_INFINITY
    }
  }
  return undefined
}

/** Of what a container could not do, ECS tells a whole trace at times. */
const LONGEST = 400

function endOf({ containers = [], stopCode, stoppedReason }: Task): string {
  const ended = containers.filter(({ exitCode, reason }) => exitCode !== undefined || reason !== undefined)
  const parts = [
    [stopCode, stoppedReason].filter(Boolean).join(': '),
    ...ended.map(({ exitCode, name, reason }) =>
      [`container ${name ?? '?'}`, exitCode === undefined ? '' : `ended with ${exitCode}`, reason ?? '']
        .filter(Boolean)
        .join(' '),
    ),
  ]
  return parts.filter(Boolean).join('; ').replaceAll(/\s+/g, ' ').slice(0, LONGEST)
}
