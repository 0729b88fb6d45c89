import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { withFileLock } from './file-lock.ts'
import { makeJobFolder } from './job-folder.ts'
import { environmentRoot } from './python-environment.ts'

export interface ArchiveOf {
  readonly python: string
  readonly jars: readonly string[]
  /** What `java -version` says: another Java does not take the archive. */
  readonly java: string
}

const MAKE_TIMEOUT_MS = 300_000
/** Spark's plans, its Parquet, S3A and JDBC, as far as they go where nobody listens. */
const PROGRAM = `
import json, sys
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

settings, folder = json.loads(sys.argv[1]), sys.argv[2]
spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
rows = spark.range(1000).select("id", (F.col("id") % 7).alias("k"), F.current_timestamp().alias("at"), F.lit("x").alias("name"))
rows.write.parquet(folder + "/rows")
read = spark.read.parquet(folder + "/rows")
first = Window.partitionBy("k").orderBy("id")
read.withColumn("before", F.lag("at").over(first)).groupBy("k").agg(F.max("before"), F.count_distinct("id")).join(read, "k").orderBy("id").count()
for broken in (
    lambda: spark.read.parquet("s3a://nowhere/rows"),
    lambda: spark.read.jdbc("jdbc:postgresql://127.0.0.1:1/nowhere", "t", properties={"user": "x", "connectTimeout": "1", "driver": "org.postgresql.Driver"}),
):
    try:
        broken()
    except Exception:
        pass
spark.stop()
`

/** Options of a Java that finds the classes of Spark loaded and checked. A Java that cannot use the file goes on without it. */
const optionsFor = (file: string) => `"-XX:SharedArchiveFile=${file}" -Xlog:cds=error`

async function make(file: string, { jars, python }: ArchiveOf): Promise<void> {
  const own = await makeJobFolder()
  const folder = own.path
  const begun = `${file}.${process.pid}`
  const s3a = 'spark.hadoop.fs.s3a.'
  const settings = {
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.memory': '1g',
    'spark.driver.extraClassPath': jars.join(':'),
    'spark.driver.extraJavaOptions': `-XX:TieredStopAtLevel=1 "-XX:ArchiveClassesAtExit=${begun}" "-Djava.io.tmpdir=${folder}" -Xlog:cds=error`,
    'spark.sql.shuffle.partitions': '2',
    'spark.sql.warehouse.dir': path.join(folder, 'warehouse'),
    [`${s3a}endpoint`]: 'http://127.0.0.1:1',
    [`${s3a}endpoint.region`]: 'us-east-1',
    [`${s3a}attempts.maximum`]: '1',
    [`${s3a}retry.limit`]: '1',
    [`${s3a}retry.interval`]: '1ms',
  }
  try {
    // Java writes the file when it ends, which is after Python has: the pipes of both are waited for.
    await promisify(execFile)(python, ['-c', PROGRAM, JSON.stringify(settings), folder], {
      timeout: MAKE_TIMEOUT_MS,
      maxBuffer: 1 << 24,
      cwd: folder,
      env: { ...process.env, PYSPARK_PYTHON: python, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' },
    })
    await rename(begun, file)
  } finally {
    await rm(begun, { force: true })
    await own.remove()
  }
}

/**
 * Java's options with which Spark starts and plans in some 60 % of the CPU: its classes come from an archive, 150 MB, that is made once
 * in half a minute. Empty where it cannot be made: every job runs without it.
 */
export async function classArchiveOptions(of: ArchiveOf): Promise<string> {
  const key = createHash('sha256')
    .update([of.java, of.python, ...of.jars].join('\n'))
    .digest('hex')
  const file = path.join(environmentRoot(), `spark-classes-${key.slice(0, 12)}.jsa`)
  if (!existsSync(file)) {
    await mkdir(environmentRoot(), { recursive: true })
    await withFileLock(`${file}.lock`, async () => {
      if (existsSync(file)) return
      // An empty file says that it was tried: nobody waits for it again.
      await make(file, of).catch(() => writeFile(file, ''))
    })
  }
  const { size } = await stat(file)
  return size === 0 ? '' : optionsFor(file)
}
