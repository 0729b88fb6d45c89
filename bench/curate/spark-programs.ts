import path from 'node:path'
import { GLUE_JOBS, type SparkPlace } from '../../src/local/spark/spark-environment.ts'
import type { BenchLake } from './lake.ts'
import { measured, type Usage } from './measured-process.ts'

export interface SparkSetting {
  readonly spark: SparkPlace
  /** Spill and whatever else Spark leaves on disk; removed by the bench. */
  readonly dir: string
  /** Java's heap: `2g`. */
  readonly memory: string
  readonly cores: number
  readonly limitMs: number
}

interface LogLine {
  readonly event?: string
  readonly table?: string
  readonly rows?: number
  readonly seconds?: number
}

/** Prints what a job says of the tables that it has written. */
function tell(line: string): void {
  if (!line.startsWith('{')) return
  try {
    const { event, rows, seconds, table } = JSON.parse(line) as LogLine
    if (event === 'table-written')
      console.log(`    ${(table ?? '').padEnd(24)} ${String(rows).padStart(12)} rows ${String(seconds).padStart(9)} s`)
  } catch {
    // Not a line of the job's log.
  }
}

function environment({ cores, dir, memory, spark }: SparkSetting, { aws }: BenchLake): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...(process.env.JAVA_HOME ? { JAVA_HOME: process.env.JAVA_HOME } : {}),
    PYTHONPATH: GLUE_JOBS,
    PYTHONDONTWRITEBYTECODE: '1',
    TMPDIR: dir,
    SPARK_LOCAL_DIRS: dir,
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    AWS_REGION: aws.region,
    ROCKETGAMES_SPARK_JARS: spark.jars.join(':'),
    ROCKETGAMES_SPARK_MEMORY: memory,
    ROCKETGAMES_SPARK_CORES: String(cores),
  }
}

const runPython = (setting: SparkSetting, lake: BenchLake, args: readonly string[]) =>
  measured({
    ...{ program: setting.spark.python, args, env: environment(setting, lake), cwd: setting.dir },
    ...{ limitMs: setting.limitMs, onLine: tell },
  })

/** The job as AWS Glue would start it. */
export function curate(setting: SparkSetting, lake: BenchLake, options: readonly string[] = []): Promise<Usage> {
  const { bucket, curatedDatabase, region, resultsUri, workgroup } = lake.place
  return runPython(setting, lake, [
    path.join(GLUE_JOBS, 'curate_accounts.py'),
    ...['--bucket', bucket, '--region', region, '--endpoint-url', lake.aws.endpoint],
    ...['--database', curatedDatabase, '--workgroup', workgroup, '--results', resultsUri, ...options],
  ])
}

/** Reading and writing the same snapshots, and nothing else. */
export function copySnapshots(setting: SparkSetting, lake: BenchLake): Promise<Usage> {
  const program = path.join(import.meta.dirname, 'copy_snapshots.py')
  return runPython(setting, lake, [program, lake.place.bucket, lake.place.region, lake.aws.endpoint])
}
