import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { isAlive, pythonEnvironment } from './python.ts'

/** Spark as AWS Glue 5 has it: 3.5.4 on Java 17, with the S3A of its Hadoop. */
const PINS = ['pyspark==3.5.4', 'py4j==0.10.9.7']
const S3A = 'org.apache.hadoop:hadoop-aws:3.3.4,org.apache.spark:spark-hadoop-cloud_2.12:3.5.4'
/** Of the second, which lets Parquet be written by S3A's committers, the jar alone: other clouds, and what Spark has already. */
const NOT_THESE = [
  ...['org.apache.hadoop:hadoop-[b-z]*', 'org.apache.hadoop:hadoop-al*', 'org.apache.hadoop:hadoop-an*'],
  ...['org.apache.hadoop:hadoop-az*', 'org.apache.spark:spark-t*', 'com.google.*:*', 'com.fasterxml*:*', 'joda-time:*'],
  ...['org.eclipse*:*', 'org.apache.httpcomponents:*', 'org.slf4j:*', 'org.apache.logging*:*', 'com.microsoft*:*'],
  ...['commons-*:*', 'org.scala-lang:*'],
]
/** What these are, 281 MB. */
const JARS: Readonly<Record<string, string>> = {
  'org.apache.hadoop_hadoop-aws-3.3.4.jar': '53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a',
  'com.amazonaws_aws-java-sdk-bundle-1.12.262.jar': '873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5',
  'org.apache.spark_spark-hadoop-cloud_2.12-3.5.4.jar':
    '53e41be433b851a36e328cfe5bcdd25ecc65f25916d5ffb5eacd0c0313b1f21b',
  'org.wildfly.openssl_wildfly-openssl-1.0.7.Final.jar':
    '9f7058778978ec2ad90c7224401a4b0013d93e0dd3fa0f72b25244ffa3507ca8',
}
const IVY = path.resolve(
  import.meta.dirname,
  `../../.venv/spark-s3a-${createHash('sha256').update(JSON.stringify(JARS)).digest('hex').slice(0, 12)}`,
)
const FETCH_TIMEOUT_MS = 300_000
const START_TIMEOUT_MS = 60_000
const NO_JAVA = 'Java 17 is not installed (Debian: apt-get install openjdk-17-jre-headless)'

export interface SparkPlace {
  readonly python: string
  /** S3A and what it needs. */
  readonly jars: readonly string[]
}

export type SparkEnvironment = SparkPlace | { readonly missing: string }

const java = () => (process.env.JAVA_HOME ? path.join(process.env.JAVA_HOME, 'bin/java') : 'java')

/** Spark 3.5 runs on Java 8, 11 and 17; only 17 is what Glue 5 has. */
async function hasJava(): Promise<boolean> {
  try {
    const { stderr } = await promisify(execFile)(java(), ['-version'])
    return / version "17\./.test(stderr)
  } catch {
    return false
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** What a process that was killed while it fetched has left: up to 281 MB each. */
async function removeLeft(): Promise<void> {
  const folder = path.dirname(IVY)
  for (const name of await readdir(folder)) {
    const [, pid] = /^spark-s3a-[0-9a-f]{12}\.(\d+)$/.exec(name) ?? []
    if (pid !== undefined && !isAlive(Number(pid))) await rm(path.join(folder, name), { recursive: true, force: true })
  }
}

/** Lets Spark's own Ivy fetch S3A from Maven Central, once; the folder appears when all of it is there and is what was pinned. */
async function fetchS3a(python: string): Promise<string | undefined> {
  // First of all: Java may go on for a while when the process that started it is gone.
  await removeLeft()
  if (existsSync(IVY)) return undefined
  const folder = `${IVY}.${process.pid}`
  const settings = {
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.jars.packages': S3A,
    'spark.jars.excludes': NOT_THESE.join(),
    'spark.jars.ivy': folder,
  }
  const program = `import sys, json
from pyspark.sql import SparkSession
SparkSession.builder.master("local[1]").config(map=json.loads(sys.argv[1])).getOrCreate().stop()`
  try {
    await promisify(execFile)(python, ['-c', program, JSON.stringify(settings)], {
      timeout: FETCH_TIMEOUT_MS,
      maxBuffer: 1 << 24,
    })
    for (const [name, wanted] of Object.entries(JARS)) {
      const found = await sha256(path.join(folder, 'jars', name))
      if (found !== wanted) throw new Error(`${name} has the SHA-256 ${found}, not ${wanted}`)
    }
    await rename(path.join(folder, 'jars'), IVY).catch((error: NodeJS.ErrnoException) => {
      // Another process was first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    return undefined
  } catch (error) {
    return `S3A for Spark (${S3A}, 281 MB from Maven Central) cannot be had: ${(error as Error).message.slice(-500)}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Spark, installed once below the git-ignored `.venv`: 32 s and 24 s on a new machine with a quick line, nothing afterwards.
 *
 * @returns `missing` names what the machine lacks, for a test that skips visibly.
 * @throws with `CI=true` in place of `missing`: there, nothing may be skipped.
 */
export async function sparkEnvironment(): Promise<SparkEnvironment> {
  const found = await locate()
  if ('missing' in found && process.env.CI === 'true') throw new Error(found.missing)
  return found
}

async function locate(): Promise<SparkEnvironment> {
  if (!(await hasJava())) return { missing: NO_JAVA }
  const environment = await pythonEnvironment('spark', PINS)
  if ('missing' in environment) return environment
  const missing = await fetchS3a(environment.python)
  if (missing !== undefined) return { missing }
  return { python: environment.python, jars: Object.keys(JARS).map((name) => path.join(IVY, name)) }
}

export interface S3Address {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

interface Answer {
  readonly ready?: string
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
}

/** A running Spark that takes one command after another: starting one costs more than all that tests ask of it. */
export class SparkSession {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #log = ''
  #asked = 0

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /** @param program Python that speaks the protocol of `session.py`. */
  static async start(place: SparkPlace, program: string, s3?: S3Address): Promise<SparkSession> {
    const settings = {
      spark: { 'spark.driver.extraClassPath': place.jars.join(':') },
      ...(s3 === undefined ? {} : { s3: { endpoint: s3.endpoint, region: s3.region, ...s3.credentials } }),
    }
    const child = spawn(place.python, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'pipe'] })
    const session = new SparkSession(child)
    await session.#ready()
    return session
  }

  #ready(): Promise<void> {
    const { stdout, stderr } = this.#process
    stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-20_000)
    })
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#process.kill('SIGKILL')
        reject(new Error(`Spark did not start within ${START_TIMEOUT_MS / 1000} s:\n${this.#log}`))
      }, START_TIMEOUT_MS)
      this.#process.once('exit', () => {
        clearTimeout(timer)
        const error = new Error(`Spark has ended:\n${this.#log}`)
        reject(error)
        for (const each of this.#waiting.values()) each.reject(error)
      })
      if (stdout === null) return reject(new Error('Spark has no standard output'))
      createInterface({ input: stdout }).on('line', (line) => {
        const answer = JSON.parse(line) as Answer
        if (answer.ready !== undefined) {
          clearTimeout(timer)
          resolve()
        } else this.#answered(answer)
      })
    })
  }

  #answered({ id = 0, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error))
  }

  /** @throws Error with Python's and Java's own trace. */
  ask<T>(command: string, request: Readonly<Record<string, unknown>>): Promise<T> {
    const id = ++this.#asked
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject })
      this.#process.stdin?.write(`${JSON.stringify({ id, command, ...request })}\n`)
    })
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.stdin?.end()
    await ended
  }
}
