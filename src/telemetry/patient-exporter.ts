import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'

type Told = Parameters<SpanExporter['export']>[1]

/** `ExportResultCode.SUCCESS`. */
const SUCCESS = 0

/** Says once that spans do not arrive, and once that they do again: a collector that is away for an hour is one line, not hundreds. */
export class PatientExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #logger: () => Logger
  #lost = 0

  constructor(exporter: SpanExporter, logger: () => Logger) {
    this.#exporter = exporter
    this.#logger = logger
  }

  export(spans: ReadableSpan[], told: Told): void {
    this.#exporter.export(spans, (result) => {
      if (result.code === SUCCESS) this.#arrived()
      else this.#failed(spans.length, result.error)
      told(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  #arrived(): void {
    if (this.#lost > 0) this.#logger().info({ lost: this.#lost }, 'traces arrive at the collector again')
    this.#lost = 0
  }

  #failed(spans: number, error: Error | undefined): void {
    if (this.#lost === 0) {
      const { code, name } = (error ?? {}) as { code?: unknown; name?: string }
      this.#logger().warn(
        { reason: code ?? name },
        'traces do not arrive at the collector; the service goes on without',
      )
    }
    this.#lost += spans
  }
}
