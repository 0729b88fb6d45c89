import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { parseConfig } from '../../src/config.ts'
import { createAthenaClient } from '../../src/lake/athena/athena-client.ts'
import { createGlueClient } from '../../src/lake/catalogue/glue-client.ts'
import { ensureLake } from '../../src/lake/lake-setup.ts'
import { s3Client } from '../../src/lake/storage/s3-client.ts'
import { startLocalAws } from '../../src/local/aws/launcher.ts'
import { startEmbeddedPostgres } from '../../src/local/postgres.ts'
import { createLogger } from '../../src/logger.ts'

type Values = Readonly<Record<string, string>>

/** What the image talks to, and the settings of each of its commands: what one does not use it is not given. */
export interface StandIns {
  readonly migrate: Values
  readonly serve: Values
  readonly keys: Values
  /** Of the commands that write the lake. */
  readonly exporter: Values
  /** Secrets of this run, which must not be found in the image. */
  readonly secrets: readonly string[]
  stop(): Promise<void>
}

/** As in production: tasks of ECS write the lake, and somebody else starts them. None is started here. */
const elsewhere = {
  LAKE_RUNNER: 'ecs',
  LAKE_SCHEDULER: 'none',
  LAKE_ECS_CLUSTER: 'nowhere',
  LAKE_ECS_SNAPSHOT_TASK: 'snapshot',
  LAKE_ECS_CARE_TASK: 'care',
  LAKE_ECS_CONTAINER: 'program',
  LAKE_ECS_SUBNETS: 'subnet-00000000',
  LAKE_ECS_SECURITY_GROUPS: 'sg-00000000',
}

const hex = () => randomBytes(32).toString('hex')

/** The embedded Postgres and the local S3, Glue and Athena of this checkout, outside of any container, with a lake set up. */
export async function startStandIns(folder: string): Promise<StandIns> {
  const aws = await startLocalAws({ dir: path.join(folder, 'aws'), port: 0, log: createLogger({ level: 'warn' }) })
  const postgres = await startEmbeddedPostgres({ dir: path.join(folder, 'postgres'), database: 'accounts' }).catch(
    async (error: unknown) => {
      await aws.stop()
      throw error
    },
  )
  const stop = async () => void (await Promise.all([aws.stop(), postgres.stop()]))
  const as = (user: string, password: string) => {
    const url = new URL(postgres.url)
    url.username = user
    url.password = password
    return url.href
  }
  const [servicePassword, exporterPassword, pepper, cursorKey, pseudonymKey] = [hex(), hex(), hex(), hex(), hex()]
  const lake = {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    LAKE_BUCKET: 'rocketgames-lake',
    LAKE_RESULTS: 's3://rocketgames-results/athena/',
  }
  try {
    await setUp(lake)
  } catch (error) {
    await stop()
    throw error
  }
  const service = { DATABASE_URL: as('accounts_service', servicePassword), API_KEY_PEPPER: pepper }
  return {
    migrate: {
      DATABASE_URL: postgres.url,
      DATABASE_SERVICE_USER: 'accounts_service',
      DATABASE_SERVICE_PASSWORD: servicePassword,
      DATABASE_EXPORTER_USER: 'accounts_exporter',
      DATABASE_EXPORTER_PASSWORD: exporterPassword,
    },
    keys: service,
    serve: { ...lake, ...service, ...elsewhere, CURSOR_KEY: cursorKey, MIGRATE_AT_START: 'off', METRICS: 'emf' },
    exporter: {
      ...lake,
      DATABASE_URL: as('accounts_exporter', exporterPassword),
      LAKE_PSEUDONYM_KEY: pseudonymKey,
    },
    secrets: [servicePassword, exporterPassword, pepper, cursorKey, pseudonymKey, aws.secretAccessKey],
    stop,
  }
}

/** In AWS this is the work of the infrastructure. */
async function setUp(settings: Values): Promise<void> {
  const { lake } = parseConfig(settings)
  if (lake === undefined) throw new Error('the settings of the stand-ins name no lake')
  process.env.AWS_ACCESS_KEY_ID = settings.AWS_ACCESS_KEY_ID
  process.env.AWS_SECRET_ACCESS_KEY = settings.AWS_SECRET_ACCESS_KEY
  const clients = { s3: s3Client(lake), glue: createGlueClient(lake), athena: createAthenaClient(lake) }
  try {
    await ensureLake(lake, clients, { owned: true })
  } finally {
    for (const client of Object.values(clients)) client.destroy()
  }
}
