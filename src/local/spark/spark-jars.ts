import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { isAlive } from '../process-identity.ts'
import { withFileLock } from './file-lock.ts'
import { environmentRoot } from './python-environment.ts'

/** S3A of Spark's own Hadoop, its committers for Parquet, and the JDBC driver that AWS Glue 5 has. */
const PACKAGES = [
  'org.apache.hadoop:hadoop-aws:3.3.4',
  'org.apache.spark:spark-hadoop-cloud_2.12:3.5.4',
  'org.postgresql:postgresql:42.7.3',
]
/** Of the second, which lets Parquet be written by S3A's committers, the jar alone: other clouds, and what Spark has already. */
const NOT_THESE = [
  ...['org.apache.hadoop:hadoop-[b-z]*', 'org.apache.hadoop:hadoop-al*', 'org.apache.hadoop:hadoop-an*'],
  ...['org.apache.hadoop:hadoop-az*', 'org.apache.spark:spark-t*', 'com.google.*:*', 'com.fasterxml*:*', 'joda-time:*'],
  ...['org.eclipse*:*', 'org.apache.httpcomponents:*', 'org.slf4j:*', 'org.apache.logging*:*', 'com.microsoft*:*'],
  ...['commons-*:*', 'org.scala-lang:*', 'org.checkerframework:*'],
]
/** What these are, and what they must hold. */
const JARS: Readonly<Record<string, string>> = {
  'org.apache.hadoop_hadoop-aws-3.3.4.jar': '53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a',
  'com.amazonaws_aws-java-sdk-bundle-1.12.262.jar': '873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5',
  'org.apache.spark_spark-hadoop-cloud_2.12-3.5.4.jar':
    '53e41be433b851a36e328cfe5bcdd25ecc65f25916d5ffb5eacd0c0313b1f21b',
  'org.wildfly.openssl_wildfly-openssl-1.0.7.Final.jar':
    '9f7058778978ec2ad90c7224401a4b0013d93e0dd3fa0f72b25244ffa3507ca8',
  'org.postgresql_postgresql-42.7.3.jar': 'a2644cbfba1baa145ff7e8c8ef582a6eed7a7ec4ca792f7f054122bdec756268',
}
export const JARS_MEGABYTES = 282
const FETCH_TIMEOUT_MS = 600_000
const LEFT = /^spark-(?:jars-[0-9a-f]{12}|classes-[0-9a-f]{12}\.jsa)\.(\d+)$/

export type SparkJars = { readonly jars: readonly string[] } | { readonly missing: string }

const jarsFolder = () =>
  path.join(
    environmentRoot(),
    `spark-jars-${createHash('sha256').update(JSON.stringify(JARS)).digest('hex').slice(0, 12)}`,
  )

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** What a process that was killed while it fetched jars, or made an archive of classes, has left: up to 282 MB each. */
async function removeLeft(): Promise<void> {
  for (const name of await readdir(environmentRoot())) {
    const [, pid] = LEFT.exec(name) ?? []
    if (pid === undefined || isAlive(Number(pid))) continue
    await rm(path.join(environmentRoot(), name), { recursive: true, force: true })
  }
}

/** Lets Spark's own Ivy fetch them from Maven Central into `folder`. */
async function fetchInto(folder: string, python: string): Promise<void> {
  const settings = {
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.jars.packages': PACKAGES.join(),
    'spark.jars.excludes': NOT_THESE.join(),
    'spark.jars.ivy': folder,
  }
  const program = `import sys, json
from pyspark.sql import SparkSession
SparkSession.builder.master("local[1]").config(map=json.loads(sys.argv[1])).getOrCreate().stop()`
  await promisify(execFile)(python, ['-c', program, JSON.stringify(settings)], {
    timeout: FETCH_TIMEOUT_MS,
    maxBuffer: 1 << 24,
  })
  for (const [name, wanted] of Object.entries(JARS)) {
    const found = await sha256(path.join(folder, 'jars', name))
    if (found !== wanted) throw new Error(`${name} has the SHA-256 ${found}, not ${wanted}`)
  }
}

/**
 * The jars that Spark needs here and AWS Glue has, fetched once; the folder appears when all of them are there and are what was
 * pinned.
 *
 * @param python an interpreter with PySpark.
 * @param onFetch told once, before anything is downloaded.
 */
export async function sparkJars(python: string, onFetch: () => void = () => undefined): Promise<SparkJars> {
  const there = jarsFolder()
  const found = { jars: Object.keys(JARS).map((name) => path.join(there, name)) }
  await mkdir(environmentRoot(), { recursive: true })
  // First of all: Java may go on for a while when the process that started it is gone.
  await removeLeft()
  if (existsSync(there)) return found
  const folder = `${there}.${process.pid}`
  try {
    await withFileLock(`${there}.lock`, async () => {
      if (existsSync(there)) return
      onFetch()
      await fetchInto(folder, python)
      await rename(path.join(folder, 'jars'), there)
    })
    return found
  } catch (error) {
    const what = `Jars for Spark (${PACKAGES.join(', ')}, ${JARS_MEGABYTES} MB from Maven Central)`
    return { missing: `${what} cannot be had: ${(error as Error).message.slice(-500)}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
