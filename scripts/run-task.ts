/**
 * `npm run task -- <stage> <task> [word…]`: runs a task of a stage to its end, shows its log, and ends with its exit code. The tasks are
 * migrate, keys, snapshot, care and, where there is one, work; words take the place of the task's own command. By the AWS command line, with
 * whatever account and rights it has here.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const CONTAINER = 'accounts'
const USAGE = `Usage: npm run task -- <stage> <task> [word…]

Tasks: migrate, keys, snapshot, care, work. The words take the place of the task's own command.`

/** Tests look oftener. */
const LOOK_MS = Number(process.env.TASK_LOOK_MS ?? 5_000)

const exec = promisify(execFile)

/** One call of the AWS command line. @throws Error with what it said. */
async function aws<Answer>(...words: readonly string[]): Promise<Answer> {
  try {
    const { stdout } = await exec('aws', [...words, '--output', 'json'], { maxBuffer: 64 * 1024 * 1024 })
    return JSON.parse(stdout) as Answer
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string }
    if (code === 'ENOENT')
      throw new Error('The AWS command line is not here: install it, or start the task in the console')
    throw new Error(stderr?.trim() || String(error))
  }
}

interface Started {
  readonly tasks?: readonly { readonly taskArn: string }[]
  readonly failures?: readonly { readonly reason?: string; readonly detail?: string }[]
}

interface Described {
  readonly tasks?: readonly {
    readonly lastStatus: string
    readonly stoppedReason?: string
    readonly containers: readonly { readonly name: string; readonly exitCode?: number; readonly reason?: string }[]
  }[]
}

/** Where tasks run: an output of the stage's cluster. */
async function networkOf(stage: string): Promise<string> {
  const { Stacks } = await aws<{ Stacks: { Outputs?: { OutputKey: string; OutputValue: string }[] }[] }>(
    ...['cloudformation', 'describe-stacks', '--stack-name', `rocketgames-accounts-${stage}-cluster`],
  )
  const network = Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'TaskNetwork')?.OutputValue
  if (network === undefined) throw new Error(`The cluster of ${stage} is not deployed: npx cdk deploy ${stage}/cluster`)
  return network
}

async function start(stage: string, task: string, words: readonly string[]): Promise<string> {
  const overrides = words.length === 0 ? {} : { containerOverrides: [{ name: CONTAINER, command: words }] }
  const answer = await aws<Started>(
    ...['ecs', 'run-task', '--launch-type', 'FARGATE', '--cluster', `rocketgames-accounts-${stage}`],
    ...['--task-definition', `rocketgames-accounts-${stage}-${task}`],
    ...['--network-configuration', await networkOf(stage), '--overrides', JSON.stringify(overrides)],
  )
  const arn = answer.tasks?.[0]?.taskArn
  if (arn === undefined) throw new Error(`ECS started nothing: ${JSON.stringify(answer.failures ?? [])}`)
  return arn
}

/** A task that has just been started may not be seen for some seconds. */
const LOOKS_UNTIL_LOST = 6

/** Its exit code, or why it has none. */
async function end(stage: string, arn: string, everyMs: number): Promise<number | string> {
  let unseen = 0
  for (;;) {
    const { tasks } = await aws<Described>(
      ...['ecs', 'describe-tasks', '--cluster', `rocketgames-accounts-${stage}`, '--tasks', arn],
    )
    const task = tasks?.[0]
    unseen = task === undefined ? unseen + 1 : 0
    if (unseen === LOOKS_UNTIL_LOST) return 'ECS does not know the task'
    if (task?.lastStatus === 'STOPPED') {
      const container = task.containers.find(({ name }) => name === CONTAINER)
      return container?.exitCode ?? container?.reason ?? task.stoppedReason ?? 'it gave no reason'
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

async function showLog(stage: string, task: string, arn: string): Promise<void> {
  const stream = `${task}/${CONTAINER}/${arn.split('/').at(-1)}`
  const { events } = await aws<{ events: { message: string }[] }>(
    ...['logs', 'get-log-events', '--log-group-name', `/rocketgames-accounts/${stage}/${task}`],
    ...['--log-stream-name', stream, '--start-from-head'],
  )
  for (const { message } of events) console.log(message)
}

async function main(): Promise<number> {
  // What follows the task is the program's: `keys create --name first`.
  const [stage, task, ...words] = process.argv.slice(2)
  if (stage === '--help' || stage === '-h') {
    console.log(USAGE)
    return 0
  }
  if (stage === undefined || task === undefined || stage.startsWith('-')) {
    console.error(USAGE)
    return 2
  }
  const arn = await start(stage, task, words)
  console.error(`${task} runs as ${arn}`)
  const how = await end(stage, arn, LOOK_MS)
  await showLog(stage, task, arn).catch((error: Error) => console.error(`Its log cannot be read: ${error.message}`))
  if (typeof how === 'number') return how
  console.error(`${task} did not run: ${how}`)
  return 2
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 2
})
