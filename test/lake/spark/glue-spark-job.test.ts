import { expect, test } from 'vitest'
import { GlueSparkJob, type GlueSparkJobOptions } from '../../../src/lake/spark/glue-spark-job.ts'
import type { SparkJobOrder } from '../../../src/lake/spark-job.ts'
import { type Answer, type Asked, fakeGlue } from '../snapshot/fake-glue.ts'

const ID = '20261123t020000z-01kaq3c9'
const PLAN = `s3://lake/unload/v1/${ID}/plan.json`
const ORDER: SparkJobOrder = {
  ...{ snapshotId: ID, bucket: 'lake', planUri: PLAN, sourcePassword: 'a secret', maxAgeMs: 61_000 },
  pseudonymKey: Buffer.alloc(32, 7),
}

function job(answer: (asked: Asked) => Answer, options: Partial<GlueSparkJobOptions> = {}) {
  const { asked, client } = fakeGlue(answer)
  const spark = new GlueSparkJob({
    ...{ client, job: 'unload', bucket: 'lake', region: 'eu-central-1', pollMs: 1, busyMs: 200, stopMs: 500 },
    retries: { tries: 3, baseMs: 1, capMs: 2, totalMs: 5_000 },
    ...options,
  })
  const leave = new AbortController()
  const run = () => spark.run(ORDER, { signal: leave.signal, onLine: () => undefined })
  const names = () => asked.map(({ operation }) => operation)
  return { asked, leave, names, run, spark }
}

/** Answers of GetJobRun in turn, the last one for ever; everything else succeeds. */
function states(...list: readonly (string | object)[]) {
  const left = [...list]
  return ({ operation }: Asked): Answer => {
    if (operation === 'StartJobRun') return { JobRunId: 'jr_1' }
    if (operation === 'BatchStopJobRun') return { SuccessfulSubmissions: [{ JobName: 'unload', JobRunId: 'jr_1' }] }
    if (operation === 'GetJobRuns') return { JobRuns: [] }
    const now = (left.length > 1 ? left.shift() : left[0]) ?? {}
    return { JobRun: typeof now === 'string' ? { Id: 'jr_1', JobRunState: now } : now }
  }
}

test('a run is started with its plan and no secret, ends by itself with the snapshot, and is looked at until it has succeeded', async () => {
  const { asked, names, run } = job(states('STARTING', 'WAITING', 'RUNNING', 'SUCCEEDED'))
  await run()
  expect(names()).toEqual(['StartJobRun', 'GetJobRun', 'GetJobRun', 'GetJobRun', 'GetJobRun'])
  expect(asked[0]?.input).toEqual({
    JobName: 'unload',
    Arguments: { '--plan': PLAN, '--bucket': 'lake', '--region': 'eu-central-1' },
    Timeout: 2,
  })
  expect(asked[1]?.input).toEqual({ JobName: 'unload', RunId: 'jr_1' })
})

test.each(['FAILED', 'TIMEOUT', 'STOPPED', 'ERROR', 'EXPIRED'])(
  'a run that is %s fails with what AWS says, in one line',
  async (state) => {
    const ErrorMessage = `JobError: copy_failed:\n ${'x'.repeat(2_000)}`
    const { run } = job(states('RUNNING', { Id: 'jr_1', JobRunState: state, ErrorMessage }))
    const problem = await run().catch((error: unknown) => error)
    expect(problem).toMatchObject({ code: 'spark_failed', facts: { job: 'unload', run: 'jr_1', state } })
    const { message } = problem as Error
    expect(message).toMatch(new RegExp(`^The run jr_1 of unload in AWS Glue is ${state}: JobError: copy_failed: x+$`))
    expect(message.length).toBeLessThan(700)
  },
)

test('a job that runs as often as it may is asked again, then given up', async () => {
  let refused = 0
  const answer = states('SUCCEEDED')
  const some = job((asked) =>
    asked.operation === 'StartJobRun' && refused++ < 2 ? { error: 'ConcurrentRunsExceededException' } : answer(asked),
  )
  await some.run()
  expect(some.names().filter((name) => name === 'StartJobRun')).toHaveLength(3)
  const never = job(({ operation }) =>
    operation === 'GetJobRuns' ? { JobRuns: [] } : { error: 'ConcurrentRunsExceededException' },
  )
  await expect(never.run()).rejects.toMatchObject({ code: 'spark_busy' })
})

test('a start whose answer is lost is not made twice', async () => {
  const started: string[] = []
  const answer = states('SUCCEEDED')
  const { names, run } = job((asked) => {
    if (asked.operation === 'StartJobRun') {
      started.push('jr_1')
      return 'broken'
    }
    if (asked.operation !== 'GetJobRuns') return answer(asked)
    const mine = { Id: 'jr_1', JobRunState: 'RUNNING', Arguments: { '--plan': PLAN } }
    const other = { Id: 'jr_0', JobRunState: 'RUNNING', Arguments: { '--plan': PLAN.replace('c9', 'c8') } }
    return { JobRuns: [other, mine] }
  })
  await run()
  expect(started).toEqual(['jr_1'])
  expect(names()).toEqual(['StartJobRun', 'GetJobRuns', 'GetJobRun'])
})

test('throttling and outages of a moment are waited out', async () => {
  let asked = 0
  const answer = states('RUNNING', 'SUCCEEDED')
  const trouble = [
    { error: 'ThrottlingException' },
    { error: 'InternalServiceException', status: 500 },
    'broken',
  ] as const
  const { run } = job((one) => (one.operation === 'GetJobRun' ? (trouble[asked++] ?? answer(one)) : answer(one)), {
    retries: { tries: 5, baseMs: 1, capMs: 2, totalMs: 5_000 },
  })
  await run()
  expect(asked).toBeGreaterThan(3)
})

test.each([
  ['EntityNotFoundException', 400],
  ['AccessDeniedException', 400],
  ['InvalidInputException', 400],
])('a job that cannot be started says why: %s', async (error, status) => {
  const { names, run } = job(({ operation }) =>
    operation === 'GetJobRuns' ? { JobRuns: [] } : { error, status, message: 'no such job' },
  )
  await expect(run()).rejects.toMatchObject({ code: 'spark_not_started', facts: { awsCode: error, job: 'unload' } })
  expect(names().filter((name) => name === 'StartJobRun')).toHaveLength(1)
})

test('a snapshot that ends early stops its run and waits until it is stopped', async () => {
  let looked = 0
  let stopping = 0
  const { asked, leave, names, run } = job((one) => {
    if (one.operation === 'BatchStopJobRun') stopping = looked
    if (one.operation !== 'GetJobRun') return states('RUNNING')(one)
    looked++
    if (looked === 3) leave.abort(new Error('told to stop'))
    const over = stopping > 0 && looked > stopping + 2
    return { JobRun: { Id: 'jr_1', JobRunState: over ? 'STOPPED' : stopping > 0 ? 'STOPPING' : 'RUNNING' } }
  })
  await expect(run()).rejects.toThrow('told to stop')
  const stop = asked.find(({ operation }) => operation === 'BatchStopJobRun')
  expect(stop?.input).toEqual({ JobName: 'unload', JobRunIds: ['jr_1'] })
  expect(names().slice(names().indexOf('BatchStopJobRun') + 1)).toEqual(['GetJobRun', 'GetJobRun', 'GetJobRun'])
})

test('recovery ends the runs of a snapshot whose process is gone, of all pages, and no other', async () => {
  const runOf = (Id: string, JobRunState: string, plan = PLAN) => ({ Id, JobRunState, Arguments: { '--plan': plan } })
  const { asked, spark } = job(({ input, operation }) => {
    if (operation === 'GetJobRun') return { JobRun: runOf(String(input.RunId), 'STOPPED') }
    if (operation === 'BatchStopJobRun') return {}
    if (input.NextToken === undefined)
      return { JobRuns: [runOf('a', 'RUNNING'), runOf('b', 'SUCCEEDED')], NextToken: 'n' }
    return {
      JobRuns: [runOf('c', 'STARTING'), runOf('d', 'RUNNING', 's3://lake/other'), { Id: 'e', JobRunState: 'RUNNING' }],
    }
  })
  await spark.endLeft(ID)
  const stops = asked.filter(({ operation }) => operation === 'BatchStopJobRun')
  expect(stops.map(({ input }) => input.JobRunIds)).toEqual([['a', 'c']])
  const none = job(() => ({ JobRuns: [] }))
  await none.spark.endLeft(ID)
  expect(none.names()).toEqual(['GetJobRuns'])
})
