import type { Logger } from '../logger.ts'
import { useTracing } from '../tracing.ts'
import { traceSettings } from './trace-settings.ts'

export interface StartTracing {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of the program. */
  readonly version: string
  /** Name of the deployment; undefined: not told. */
  readonly stage: string | undefined
  readonly logger: () => Logger
}

/** Traces of this process are recorded and sent until `stop()`. */
export interface RunningTraces {
  /** Sends what waits, for a few seconds at most; never rejects. */
  stop(): Promise<void>
}

/**
 * Begins with traces where the environment names a collector; else nothing is loaded.
 *
 * @throws UsageError when a variable cannot be used
 */
export async function startTracing(options: StartTracing): Promise<RunningTraces | undefined> {
  const settings = traceSettings(options.env)
  if (settings === undefined) return undefined
  const { openTelemetry } = await import('./open-telemetry.ts')
  const { tracing, stop } = openTelemetry({ ...options, settings })
  useTracing(tracing)
  return {
    async stop() {
      useTracing(undefined)
      await stop()
    },
  }
}
