import { execFile, spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import type { Invocations } from '../scripts/invoke-function.ts'
import type { OptionValues } from '../scripts/read-options.ts'
import { functionEnvironment, openSetting, type Setting } from './api/setting.ts'

export const summary =
  'the API as a function of AWS Lambda: size of the bundle, time of a cold start and of the requests after it'

export const OPTIONS = {
  starts: { type: 'string', default: '5', least: 1, help: 'cold starts' },
  players: { type: 'string', default: '1000', least: 1, help: 'players in the database' },
} as const
const ROOT = path.resolve(import.meta.dirname, '..')
const WARM = 50

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name, parentPath }) => sum + statSync(path.join(parentPath, name)).size, 0)
}

function event({ token }: Setting, rawPath: string, rawQueryString = ''): object {
  return {
    version: '2.0',
    rawPath,
    rawQueryString,
    headers: { host: 'localhost', authorization: `Bearer ${token}` },
    requestContext: { domainName: 'localhost', stage: '$default', http: { method: 'GET' } },
    isBase64Encoded: false,
  }
}

async function start(bundle: string, setting: Setting, events: readonly object[]): Promise<Invocations> {
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts/invoke-function.ts'), bundle], {
    env: functionEnvironment(setting),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.end(JSON.stringify(events))
  const result = JSON.parse(await text(child.stdout)) as Invocations
  const failed = result.invocations.find(({ result: { statusCode } }) => statusCode !== 200)
  if (failed !== undefined) throw new Error(`an answer was ${failed.result.statusCode}: ${failed.result.body}`)
  return result
}

export async function run(options: OptionValues<typeof OPTIONS>): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bench-function-'))
  const bundle = path.join(dir, 'bundle')
  const setting = await openSetting(dir, Number(options.players))
  try {
    await promisify(execFile)(process.execPath, [path.join(ROOT, 'scripts/bundle-function.ts'), bundle])
    const list = event(setting, '/v1/players', 'limit=50')
    const events = [event(setting, '/healthz'), list, ...Array.from({ length: WARM }, () => list)]
    const starts: Invocations[] = []
    for (let n = 0; n < Number(options.starts); n++) starts.push(await start(bundle, setting, events))
    const table = new Table({ head: ['of a cold start', 'ms', 'CPU ms'] })
    const row = (name: string, ms: (one: Invocations) => number, cpuMs: (one: Invocations) => number) =>
      table.push([name, median(starts.map(ms)).toFixed(1), median(starts.map(cpuMs)).toFixed(1)])
    const of = (n: number, what: 'ms' | 'cpuMs') => (one: Invocations) => one.invocations[n]?.[what] ?? Number.NaN
    row(
      'init: the bundle is read',
      (one) => one.initMs,
      (one) => one.initCpuMs,
    )
    row('first request, of nothing: secrets, application', of(0, 'ms'), of(0, 'cpuMs'))
    row('second request, the first list: connection, query compiler', of(1, 'ms'), of(1, 'cpuMs'))
    const warm = (what: 'ms' | 'cpuMs') => (one: Invocations) =>
      median(one.invocations.slice(2).map((each) => each[what]))
    row(`median of ${WARM} lists after it`, warm('ms'), warm('cpuMs'))
    console.log(`${options.starts} starts, ${os.availableParallelism()} cores; medians`)
    console.log(table.toString())
    console.log(
      `bundle: ${(bytesIn(bundle) / 1024 / 1024).toFixed(1)} MiB, code ${(statSync(path.join(bundle, 'lambda.cjs')).size / 1024 / 1024).toFixed(1)} MiB`,
    )
    console.log(`memory after ${events.length} requests: ${median(starts.map(({ rssMiB }) => rssMiB)).toFixed(0)} MiB`)
  } finally {
    await setting.cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}
