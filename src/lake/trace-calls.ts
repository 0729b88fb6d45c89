import type { S3Client } from '@aws-sdk/client-s3'
import { inSpan, isInsideSpan, isTracing } from '../tracing.ts'

interface Answered {
  readonly output?: { readonly $metadata?: { readonly attempts?: number; readonly httpStatusCode?: number } }
}

/**
 * A span for each call of a client of AWS, its repeats included; only inside of another span. It names service and operation, no
 * bucket, key or query. No trace context is sent to AWS: its services would not go on with it, and headers that are not expected are
 * one more thing that a signature or an endpoint's policy can refuse.
 */
export function traceCalls<Client extends { readonly middlewareStack: unknown }>(client: Client): Client {
  if (!isTracing()) return client
  const stack = (client as unknown as S3Client).middlewareStack
  stack.add(
    (next, context) => async (args) => {
      if (!isInsideSpan()) return next(args)
      const service = (context.clientName ?? '').replace(/Client$/, '')
      const operation = (context.commandName ?? '').replace(/Command$/, '')
      const attributes = { 'rpc.system': 'aws-api', 'rpc.service': service, 'rpc.method': operation }
      return inSpan(`${service}.${operation}`, { kind: 'client', attributes }, async (span) => {
        const answer = await next(args)
        const { attempts = 1, httpStatusCode } = (answer as Answered).output?.$metadata ?? {}
        span?.set({
          'aws.attempts': attempts,
          ...(httpStatusCode === undefined ? {} : { 'http.response.status_code': httpStatusCode }),
        })
        return answer
      })
    },
    { step: 'initialize', priority: 'high', name: 'trace', override: true },
  )
  return client
}
