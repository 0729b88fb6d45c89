import { ECSClient } from '@aws-sdk/client-ecs'
import { afterEach, describe, expect, it } from 'vitest'
import { EcsStarter } from '../../../src/lake/ecs/ecs-starter.ts'
import { START_RETRIES } from '../../../src/lake/ecs/run-task.ts'
import { createLogger } from '../../../src/logger.ts'
import { type Answer, type Asked, fakeService } from '../snapshot/fake-glue.ts'

const ID = '20261123t020000z-01kaq3c9'
const ARN = 'arn:aws:ecs:eu-central-1:111122223333:task/accounts/8c8dbd6a2ab64a0fb2a3a5b2d7b2a8a1'
const PLACE = {
  ...{ cluster: 'accounts', container: 'program', snapshotTask: 'accounts-snapshot', careTask: 'accounts-care' },
  ...{ subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'] },
}

/** As ECS answers: the fields that matter of what `RunTask` and `DescribeTasks` give of a task on Fargate. */
const task = (lastStatus: string, more: object = {}) => ({
  taskArn: ARN,
  clusterArn: 'arn:aws:ecs:eu-central-1:111122223333:cluster/accounts',
  taskDefinitionArn: 'arn:aws:ecs:eu-central-1:111122223333:task-definition/accounts-snapshot:7',
  containers: [{ name: 'program', lastStatus, taskArn: ARN, networkInterfaces: [], cpu: '0' }],
  ...{ lastStatus, desiredStatus: 'RUNNING', launchType: 'FARGATE', cpu: '1024', memory: '2048', version: 1 },
  ...more,
})
const started = { tasks: [task('PROVISIONING')], failures: [] }
const notPlaced = (reason: string) => ({ tasks: [], failures: [{ arn: PLACE.cluster, reason }] })
const NO_ROOM = 'Capacity is unavailable at this time. Please try again later or in a different availability zone'

let starter: EcsStarter | undefined
afterEach(() => starter?.close())

function starting(answer: (asked: Asked, nth: number) => Answer, watchMs = 0) {
  let calls = 0
  const { asked, settings } = fakeService((one) => answer(one, ++calls))
  const told: string[] = []
  const ended = Promise.withResolvers<void>()
  const lines: string[] = []
  starter = new EcsStarter({
    client: new ECSClient(settings),
    place: PLACE,
    logger: createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    async onSnapshotEnd(id, how) {
      told.push(`${id}: ${how}`)
      ended.resolve()
    },
    async onWatchOver(id) {
      told.push(`${id}: not watched any longer`)
      ended.resolve()
    },
    ...{ watchMs, pollMs: 1, retries: { tries: 4, baseMs: 1, capMs: 2, totalMs: 5_000 } },
  })
  const tokens = () => asked.map(({ input }) => input.clientToken)
  return { asked, ended: ended.promise, lines, starter, tokens, told }
}

describe('commands of the lake as tasks of ECS', () => {
  it('give the snapshot task arguments alone, in the private network, and no secret among them', async () => {
    const { asked, starter } = starting(() => started)
    await starter.snapshot(ID)
    expect(asked).toEqual([
      {
        operation: 'RunTask',
        input: {
          ...{ cluster: 'accounts', taskDefinition: 'accounts-snapshot', count: 1, launchType: 'FARGATE' },
          clientToken: expect.stringMatching(/^[!-~]{32,64}$/),
          startedBy: 'rocketgames-accounts',
          networkConfiguration: {
            awsvpcConfiguration: {
              ...{ subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
            },
          },
          overrides: { containerOverrides: [{ name: 'program', command: ['--json', '--id', ID] }] },
        },
      },
    ])
  })

  it('run care as its own task, and not a second one while the first may not even run', async () => {
    const { asked, starter } = starting(() => started)
    await starter.recover()
    await starter.recover()
    await starter.retention()
    const commands = asked.map(({ input }) => [input.taskDefinition, JSON.stringify(input.overrides)])
    expect(commands).toEqual([['accounts-care', expect.stringContaining('"command":["--json"]')]])
  })

  it.each<[string, Answer]>([
    ['a lost answer', 'broken'],
    ['a failure of ECS', { error: 'ServerException', status: 500 }],
    ['throttling', { error: 'ThrottlingException', message: 'Rate exceeded' }],
  ])('stay one task after %s: the repeat carries the same token', async (_what, failure) => {
    const { starter, tokens } = starting((_asked, nth) => (nth < 3 ? failure : started))
    await starter.snapshot(ID)
    expect(tokens()).toHaveLength(3)
    expect(new Set(tokens()).size).toBe(1)
  })

  it.each<[string, Answer]>([
    ['no room, told as a failure', notPlaced(NO_ROOM)],
    ['no room, told as an error', { error: 'ClientException', message: NO_ROOM }],
    ['no network interface', notPlaced('RESOURCE:ENI')],
    ['a quota', { error: 'LimitExceededException', message: "You've reached the limit on the number of tasks" }],
  ])('are asked for anew after %s, with another token', async (_what, failure) => {
    const { starter, tokens } = starting((_asked, nth) => (nth < 3 ? failure : started))
    await starter.snapshot(ID)
    expect(new Set(tokens()).size).toBe(3)
  })

  it('are given up when there is no room for long, saying what ECS says', async () => {
    const { asked, starter } = starting(() => notPlaced(NO_ROOM))
    await expect(starter.snapshot(ID)).rejects.toThrow(NO_ROOM)
    expect(asked).toHaveLength(4)
  })

  it('are asked for during the whole time that a caller is kept waiting, not only at its beginning', () => {
    const { baseMs, capMs, totalMs, tries } = START_RETRIES
    // With full jitter a wait is half of its bound on average.
    const waits = Array.from({ length: tries - 1 }, (_, n) => Math.min(capMs, baseMs * 2 ** n) / 2)
    expect(waits.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1.5 * totalMs)
  })

  it.each([
    ['AccessDeniedException', 'is not authorized to perform: ecs:RunTask'],
    ['ClusterNotFoundException', 'Cluster not found.'],
    ['ClientException', 'TaskDefinition not found.'],
    ['InvalidParameterException', 'No Container Instances were found in your cluster.'],
  ])('are not asked for again after %s', async (error, message) => {
    const { asked, starter } = starting(() => ({ error, message }))
    await expect(starter.snapshot(ID)).rejects.toThrow(message)
    expect(asked).toHaveLength(1)
  })

  it('a failed start of care may be repeated at once', async () => {
    const { asked, starter } = starting((_asked, nth) => (nth === 1 ? { error: 'AccessDeniedException' } : started))
    await expect(starter.recover()).rejects.toThrow()
    await starter.recover()
    expect(asked).toHaveLength(2)
  })
})

describe('a task that stops before it takes its snapshot', () => {
  const stopped = task('STOPPED', {
    desiredStatus: 'STOPPED',
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'CannotPullContainerError: pull image manifest has been retried 1 time(s):\n failed to resolve ref',
    containers: [{ name: 'program', lastStatus: 'STOPPED', exitCode: 2, reason: 'Error: it could not run' }],
  })

  it('is told with the reasons that ECS gives, in one line', async () => {
    const states = ['PROVISIONING', 'PENDING']
    const { asked, ended, starter, told } = starting(({ operation }) => {
      if (operation === 'RunTask') return started
      const next = states.shift()
      return { tasks: [next === undefined ? stopped : task(next)], failures: [] }
    }, 60_000)
    await starter.snapshot(ID)
    await ended
    expect(asked.slice(1)).toEqual(
      Array(3).fill({ operation: 'DescribeTasks', input: { cluster: 'accounts', tasks: [ARN] } }),
    )
    expect(told).toEqual([
      `${ID}: its task 8c8dbd6a2ab64a0fb2a3a5b2d7b2a8a1 stopped (TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref; container program ended with 2 Error: it could not run)`,
    ])
  })

  it('is found although looking fails now and then, and ECS does not know the task at first', async () => {
    const { ended, starter, told } = starting(({ operation }, nth) => {
      if (operation === 'RunTask') return started
      if (nth === 2) return 'broken'
      if (nth === 3) return { tasks: [], failures: [{ arn: ARN, reason: 'MISSING' }] }
      return { tasks: [stopped], failures: [] }
    }, 60_000)
    await starter.snapshot(ID)
    await ended
    expect(told).toHaveLength(1)
  })

  it('is left to recovery where the role may not look: that is said once, and the snapshot goes on', async () => {
    const { asked, lines, starter, told } = starting(
      ({ operation }) => (operation === 'RunTask' ? started : { error: 'AccessDeniedException' }),
      60_000,
    )
    await starter.snapshot(ID)
    while (!lines.some((line) => line.includes('cannot be watched'))) await new Promise(setImmediate)
    await starter.close()
    expect([asked.length, told]).toEqual([2, []])
  })

  it.each<[string, Answer]>([
    ['it still does not run', { tasks: [task('PENDING')], failures: [] }],
    ['the role may not look', { error: 'AccessDeniedException' }],
  ])('is given up when its time to begin is over and %s', async (_what, answer) => {
    const { ended, starter, told } = starting(({ operation }) => (operation === 'RunTask' ? started : answer), 20)
    await starter.snapshot(ID)
    await ended
    expect(told).toEqual([`${ID}: not watched any longer`])
  })

  it('is left to recovery when the service stops: tasks run on', async () => {
    const { asked, starter, told } = starting(
      ({ operation }) => (operation === 'RunTask' ? started : { tasks: [task('RUNNING')], failures: [] }),
      60_000,
    )
    await starter.snapshot(ID)
    await starter.close()
    expect(asked.filter(({ operation }) => !['RunTask', 'DescribeTasks'].includes(operation))).toEqual([])
    expect(told).toEqual([])
    await expect(starter.snapshot(ID)).rejects.toThrow('stopping')
  })
})
