import { inSpan } from '../tracing.ts'

export interface TracedCommand {
  /** As it is typed; no arguments. */
  readonly command: string
  readonly version: string
}

/**
 * Runs a command with traces where the environment names a collector: one span around it, which goes on with the trace of TRACEPARENT,
 * of the service that started it. The service itself is no span: each of its requests is one.
 */
export async function tracedCommand({ command, version }: TracedCommand, work: () => Promise<unknown>): Promise<void> {
  const { env } = process
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return void (await work())
  const [{ createLogger }, { startTracing }] = await Promise.all([
    import('../logger.ts'),
    import('../telemetry/start-tracing.ts'),
  ])
  // Of a service that nobody looks at, as its own log is.
  const usual = command === 'serve' && !process.stderr.isTTY ? 'info' : 'warn'
  const logger = () => createLogger({ level: env.LOG_LEVEL || usual })
  const traces = await startTracing({ env, version, stage: env.STAGE || undefined, logger })
  try {
    if (traces === undefined || command === 'serve') await work()
    else {
      await inSpan(`rocketgames ${command}`, { parent: env.TRACEPARENT || undefined }, async (span) => {
        await work()
        if (process.exitCode) span?.fail(`exit-code-${process.exitCode}`)
      })
    }
  } finally {
    await traces?.stop()
  }
}
