import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { SparkPlace } from '../../src/local/spark/spark-environment.ts'
import { QUICK_JAVA } from './quick-java.ts'

const START_TIMEOUT_MS = 180_000

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
      spark: {
        'spark.driver.extraClassPath': place.jars.join(':'),
        'spark.driver.extraJavaOptions': `${QUICK_JAVA} ${place.javaOptions}`,
      },
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
