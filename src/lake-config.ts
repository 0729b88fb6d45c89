import { type Settings, together } from './settings.ts'

/** Where `LAKE_RUNNER=ecs` starts the commands of the lake. */
export interface EcsConfig {
  /** Name or ARN. */
  readonly cluster: string
  /** Families of task definitions, or their ARNs. */
  readonly snapshotTask: string
  readonly careTask: string
  /** The container of both whose command is given. */
  readonly container: string
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
}

/** Settings of the lake, complete: a snapshot can run with them. */
export interface LakeConfig {
  readonly region: string
  /** Undefined: the real AWS endpoints. */
  readonly endpoint: string | undefined
  readonly bucket: string
  readonly resultsUri: string
  readonly kmsKey: string | undefined
  readonly rawDatabase: string
  readonly database: string
  readonly curatedDatabase: string
  readonly crawler: string
  readonly crawlerRole: string
  readonly workgroup: string
  /** Undefined: this process takes no snapshots. */
  readonly pseudonymKey: Buffer | undefined
  readonly pseudonymKeyVersion: number
  readonly schedule: string | undefined
  readonly scheduleZone: string
  readonly leaseTtlMs: number
  readonly runner: 'child' | 'ecs'
  /** With `runner` ecs, and only then. */
  readonly ecs: EcsConfig | undefined
  /** Who starts what is due: every service, or somebody else by `snapshot --scheduled` and `care`. */
  readonly scheduler: 'service' | 'none'
  /** What reads the rows of a snapshot. */
  readonly engine: 'node' | 'spark'
  /** Job of AWS Glue that is the Spark engine; undefined: a process of this machine. */
  readonly sparkJob: string | undefined
  readonly codec: 'zstd' | 'snappy' | 'gzip'
  readonly fileTargetBytes: number
  readonly rowGroupBytes: number
  readonly rowGroupRows: number
  readonly partBytes: number
  readonly partsInFlight: number
  readonly parallelTableBytes: number
  /** Undefined: by the number of cores. */
  readonly readers: number | undefined
  /** Undefined: files are uploaded while they are written. */
  readonly spoolDir: string | undefined
  readonly maxSnapshotAgeMs: number
  readonly preparedTtlMs: number
  readonly crawlerWaitMs: number
  readonly retireGraceMs: number
  /** Every snapshot is kept this long. */
  readonly keepAllMs: number
  readonly dailyDays: number
  /** `<point>:kill`, for tests of crashes; undefined in production. */
  readonly fault: string | undefined
}

/** The version in front of the key holds, whatever LAKE_PSEUDONYM_KEY_VERSION says. */
function pseudonymKeyOf(e: Settings): Pick<LakeConfig, 'pseudonymKey' | 'pseudonymKeyVersion'> {
  const [key, version] = e.LAKE_PSEUDONYM_KEY?.split(':').reverse() ?? []
  return {
    pseudonymKey: key === undefined ? undefined : Buffer.from(key, 'hex'),
    pseudonymKeyVersion: Number(version ?? e.LAKE_PSEUDONYM_KEY_VERSION),
  }
}

const ECS = [
  'LAKE_ECS_CLUSTER',
  'LAKE_ECS_SNAPSHOT_TASK',
  'LAKE_ECS_CARE_TASK',
  'LAKE_ECS_CONTAINER',
  'LAKE_ECS_SUBNETS',
  'LAKE_ECS_SECURITY_GROUPS',
] as const

function ecsConfig(given: Settings): EcsConfig | undefined {
  if (given.LAKE_RUNNER !== 'ecs') return undefined
  const e = together(given, ECS, 'LAKE_RUNNER is ecs')
  return {
    cluster: e.LAKE_ECS_CLUSTER,
    snapshotTask: e.LAKE_ECS_SNAPSHOT_TASK,
    careTask: e.LAKE_ECS_CARE_TASK,
    container: e.LAKE_ECS_CONTAINER,
    subnets: e.LAKE_ECS_SUBNETS,
    securityGroups: e.LAKE_ECS_SECURITY_GROUPS,
  }
}

/** @throws UsageError when only a part of what belongs together is set. */
export function lakeConfig(given: Settings): LakeConfig | undefined {
  if (given.LAKE_BUCKET === undefined) return undefined
  const e = together(given, ['LAKE_BUCKET', 'LAKE_RESULTS'], 'LAKE_BUCKET is set')
  return {
    region: e.AWS_REGION,
    endpoint: e.AWS_ENDPOINT_URL,
    bucket: e.LAKE_BUCKET,
    resultsUri: e.LAKE_RESULTS,
    kmsKey: e.LAKE_KMS_KEY,
    rawDatabase: e.LAKE_RAW_DATABASE,
    database: e.LAKE_DATABASE,
    curatedDatabase: e.LAKE_CURATED_DATABASE,
    crawler: e.LAKE_CRAWLER,
    crawlerRole: e.LAKE_CRAWLER_ROLE ?? 'rocketgames-crawler',
    workgroup: e.ATHENA_WORKGROUP,
    ...pseudonymKeyOf(e),
    schedule: e.LAKE_SCHEDULE,
    scheduleZone: e.LAKE_SCHEDULE_ZONE,
    leaseTtlMs: e.LAKE_LEASE_TTL,
    runner: e.LAKE_RUNNER,
    ecs: ecsConfig(e),
    scheduler: e.LAKE_SCHEDULER,
    engine: e.LAKE_ENGINE,
    sparkJob: e.LAKE_SPARK_JOB,
    codec: e.LAKE_CODEC,
    fileTargetBytes: e.LAKE_FILE_TARGET_BYTES,
    rowGroupBytes: e.LAKE_ROW_GROUP_BYTES,
    rowGroupRows: e.LAKE_ROW_GROUP_ROWS,
    partBytes: e.LAKE_PART_BYTES,
    partsInFlight: e.LAKE_PARTS_IN_FLIGHT,
    parallelTableBytes: e.LAKE_PARALLEL_TABLE_BYTES,
    readers: e.LAKE_READERS,
    spoolDir: e.LAKE_SPOOL_DIR,
    maxSnapshotAgeMs: e.LAKE_MAX_SNAPSHOT_AGE,
    preparedTtlMs: e.LAKE_PREPARED_TTL,
    crawlerWaitMs: e.LAKE_CRAWLER_WAIT,
    retireGraceMs: e.LAKE_RETIRE_GRACE,
    keepAllMs: e.LAKE_KEEP_ALL,
    dailyDays: e.LAKE_DAILY_DAYS,
    fault: e.FAULT,
  }
}
