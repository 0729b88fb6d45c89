/**
 * Invokes a bundled function as Lambda would: `node scripts/invoke-function.ts <folder of the bundle> < events.json`. Standard input
 * is a JSON list of events; standard output a JSON object with the results and how long everything took.
 */
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

export interface Invocations {
  /** The evaluation of the module: Lambda has it behind it, in its init phase, when the first event comes. */
  readonly initMs: number
  /** Of all of it, on every thread: what a busy machine does not change. */
  readonly initCpuMs: number
  readonly invocations: readonly {
    readonly ms: number
    readonly cpuMs: number
    readonly result: Record<string, unknown>
  }[]
  readonly rssMiB: number
}

const TIMEOUT_MS = 29_000

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function main(folder: string): Promise<Invocations> {
  const events = JSON.parse(await text(process.stdin)) as unknown[]
  const [begun, before] = [performance.now(), cpuMs()]
  const { handler } = (await import(pathToFileURL(path.resolve(folder, 'lambda.cjs')).href)) as {
    handler: (event: unknown, context: object) => Promise<Record<string, unknown>>
  }
  const [initMs, initCpuMs] = [performance.now() - begun, cpuMs() - before]
  const invocations: Invocations['invocations'][number][] = []
  for (const event of events) {
    const [started, used] = [performance.now(), cpuMs()]
    const getRemainingTimeInMillis = () => TIMEOUT_MS - (performance.now() - started)
    const result = await handler(event, { awsRequestId: crypto.randomUUID(), getRemainingTimeInMillis })
    invocations.push({ ms: performance.now() - started, cpuMs: cpuMs() - used, result })
  }
  return { initMs, initCpuMs, invocations, rssMiB: process.memoryUsage.rss() / 1024 / 1024 }
}

process.stdout.write(JSON.stringify(await main(process.argv[2] ?? 'dist/function')), () => {
  // As Lambda does: connections that are open keep nothing alive.
  process.exit(0)
})
