import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FAULT_POINTS, type FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { listSnapshots } from '../../../src/lake/snapshot/snapshots.ts'
import { GlueSparkJob } from '../../../src/lake/spark/glue-spark-job.ts'
import { type Tap, watchClient } from '../../../src/lake/tap.ts'
import { counted } from '../../support/counts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { deathAt } from './death.ts'
import { type Answer, type Asked, fakeGlue } from './fake-glue.ts'
import { seedAccounts } from './seed.ts'
import { expireLease } from './situations.ts'
import {
  contents,
  forgetSnapshots,
  type LakePlace,
  newPlace,
  openLake,
  TEST_SETTINGS,
  unloadKeys,
} from './test-lake.ts'

const POINTS = FAULT_POINTS.filter((point) => /JobRuns?$/.test(point))
/** Met when a run of Glue is begun and waited for; the others when recovery ends it. */
const OF_A_RUN = /-(StartJobRun|GetJobRun)$/
const NOTHING = { files: [], uploads: [], manifests: [], current: false }

let aws: TestAws
let database: TestDatabase

beforeAll(async () => {
  ;[database, aws] = await Promise.all([createTestDatabase(), startTestAws()])
  await seedAccounts(database.url, 50)
})

afterAll(async () => {
  await Promise.all([database?.drop(), aws?.stop()])
})

interface Run {
  readonly Id: string
  readonly Arguments: Readonly<Record<string, string>>
  readonly process: ChildProcess
  JobRunState: string
}

/** AWS Glue with one job, whose runs are processes that read a table and then hang: they outlive whoever started them. */
class Runs {
  readonly all: Run[] = []
  readonly #place: LakePlace
  readonly #key: Buffer

  constructor(place: LakePlace, key: Buffer) {
    this.#place = place
    this.#key = key
  }

  job(tap?: Tap): GlueSparkJob {
    const { bucket, region } = this.#place
    const client = watchClient(fakeGlue((asked) => this.#answer(asked)).client, tap)
    return new GlueSparkJob({ client, bucket, region, job: 'unload', pollMs: 20 })
  }

  async #answer({ input, operation }: Asked): Promise<Answer> {
    const shown = this.all.map(({ process: _, ...run }) => run)
    if (operation === 'GetJobRuns') return { JobRuns: shown }
    if (operation === 'GetJobRun') return { JobRun: shown.find(({ Id }) => Id === input.RunId) ?? {} }
    if (operation === 'StartJobRun') return { JobRunId: this.#start(input.Arguments as Run['Arguments']) }
    for (const run of this.all) if ((input.JobRunIds as string[]).includes(run.Id)) run.process.kill()
    return {}
  }

  #start(given: Run['Arguments']): string {
    const { credentials, databaseUrl, endpoint } = this.#place
    const child = spawn(
      process.execPath,
      [path.join(import.meta.dirname, 'fake-spark.ts'), ...Object.entries(given).flat()],
      {
        stdio: 'ignore',
        env: {
          ...process.env,
          FAKE_SPARK: 'hang',
          AWS_ENDPOINT_URL: endpoint,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ROCKETGAMES_SOURCE_PASSWORD: decodeURIComponent(new URL(databaseUrl).password),
          ROCKETGAMES_PSEUDONYM_KEY: this.#key.toString('hex'),
        },
      },
    )
    const run: Run = { Id: `jr_${this.all.length}`, Arguments: given, process: child, JobRunState: 'RUNNING' }
    child.once('exit', () => {
      run.JobRunState = 'STOPPED'
    })
    this.all.push(run)
    return run.Id
  }

  async end(): Promise<void> {
    for (const { process: child } of this.all) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

/** A work that dies at a point; its lease has run out since. */
async function dies(place: LakePlace, runs: Runs, point: FaultPoint, work: 'run' | 'recover'): Promise<void> {
  const death = deathAt(point)
  const open = openLake(place, { engine: 'spark' }, death)
  try {
    const lake = { ...open.lake, sparkJob: runs.job(death) }
    await (work === 'run' ? runSnapshot(lake) : recoverSnapshots(lake)).catch(() => undefined)
    expect(death.dead).toBe(true)
  } finally {
    await expireLease(open)
    await open.close()
  }
}

async function dieAt(point: FaultPoint): Promise<void> {
  const fresh = await newPlace(aws, database.url)
  const place = { ...fresh, tables: ['players'] }
  const open = openLake(place)
  const runs = new Runs(place, TEST_SETTINGS.pseudonymKey)
  try {
    await forgetSnapshots(open.database)
    await dies(place, runs, OF_A_RUN.test(point) ? point : 'after-StartJobRun', 'run')
    if (!OF_A_RUN.test(point)) await dies(place, runs, point, 'recover')
    await recoverSnapshots({ ...open.lake, sparkJob: runs.job() })
    expect(await listSnapshots(open.database, { limit: 5 })).toMatchObject([
      { state: 'failed', problem: { code: 'abandoned' } },
    ])
    expect(await contents(open.lake)).toEqual(NOTHING)
    expect(await unloadKeys(open.lake)).toEqual([])
    expect(runs.all.map(({ JobRunState }) => JobRunState)).toEqual(point === 'before-StartJobRun' ? [] : ['STOPPED'])
  } catch (error) {
    throw new Error(point, { cause: error })
  } finally {
    await runs.end()
    await open.close()
    await fresh.remove()
  }
}

test('the calls of a Spark job in AWS Glue are points of failure like all others', () => {
  expect(POINTS).toHaveLength(4 * 3)
})

test('lake 4: whichever call of a Glue job is the last that leaves a process, recovery ends the run and leaves nothing', async () => {
  const [day, n] = [Math.floor(Date.now() / 86_400_000), counted(3, POINTS.length)]
  for (let i = 0; i < n; i++) await dieAt(POINTS[(day * n + i) % POINTS.length] as FaultPoint)
})
