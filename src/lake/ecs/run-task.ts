import { randomUUID } from 'node:crypto'
import { type ECSClient, RunTaskCommand, type RunTaskCommandOutput } from '@aws-sdk/client-ecs'
import { isTransient, type RetryBudget, retrying } from '../retries.ts'

/** Where tasks run: a part of the settings `LAKE_ECS_*`. */
export interface TaskPlace {
  /** Name or ARN. */
  readonly cluster: string
  /** The container whose command is given. */
  readonly container: string
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
}

export interface TaskOrder {
  /** Family or ARN of the task definition. */
  readonly task: string
  /** In place of the task definition's own; its entry point stays. */
  readonly command: readonly string[]
  /** Added to that of the task definition. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Fargate has no room, or the account's quota of tasks is used up; "API failure reasons" of the Amazon ECS documentation. */
const NO_ROOM = /capacity is unavailable|^RESOURCE:|reached the limit/i

/** Nothing was started. What `RunTask` says in its `failures` comes with HTTP 200. */
export class NotPlaced extends Error {
  override readonly name = 'NotPlaced'
}

/** Somebody waits for the answer: what takes longer is a failure that they hear of. */
export const START_RETRIES: RetryBudget = { tries: 20, baseMs: 400, capMs: 5_000, totalMs: 20_000 }

/**
 * Starts one task. Whatever is repeated after a lost answer carries the same token, so it stays one task ("Ensuring idempotency" of
 * the Amazon ECS documentation); after a refusal to place it, of which nothing is left, the next try has another one.
 *
 * @returns the ARN of the task: ECS has accepted it; that it runs, nobody knows yet.
 */
export async function runTask(
  client: ECSClient,
  { cluster, container, securityGroups, subnets }: TaskPlace,
  { command, environment = {}, task }: TaskOrder,
  budget: RetryBudget = START_RETRIES,
): Promise<string> {
  let clientToken = randomUUID()
  const added = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
  const start = async (abortSignal: AbortSignal) => {
    const answer = await client.send(
      new RunTaskCommand({
        cluster,
        taskDefinition: task,
        count: 1,
        launchType: 'FARGATE',
        clientToken,
        startedBy: 'rocketgames-accounts',
        networkConfiguration: {
          awsvpcConfiguration: {
            subnets: [...subnets],
            securityGroups: [...securityGroups],
            assignPublicIp: 'DISABLED',
          },
        },
        overrides: {
          containerOverrides: [
            { name: container, command: [...command], ...(added.length > 0 && { environment: added }) },
          ],
        },
      }),
      { abortSignal },
    )
    return placed(answer)
  }
  return retrying(start, {
    budget,
    passes(error) {
      if (!hasNoRoom(error)) return isTransient(error)
      clientToken = randomUUID()
      return true
    },
  })
}

function placed({ failures = [], tasks = [] }: RunTaskCommandOutput): string {
  const [task] = tasks
  if (task?.taskArn !== undefined) return task.taskArn
  const why = failures.map(({ detail, reason }) => [reason, detail].filter(Boolean).join(': ')).join('; ')
  throw new NotPlaced(why || 'ECS started no task and gave no reason')
}

function hasNoRoom(error: unknown): boolean {
  return error instanceof Error && (error.name === 'LimitExceededException' || NO_ROOM.test(error.message))
}
