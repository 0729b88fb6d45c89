import type { IncomingMessage } from 'node:http'

/** The pattern of a request that has not met a route. */
export const UNMATCHED = 'unmatched'

/** What is known of a request while it runs; the access log and problems read it. */
export interface RequestFacts {
  readonly requestId: string
  readonly startedNs: bigint
  /** The pattern, never the path: ids and names stay out of logs and metrics. */
  route: string
  keyId: string | undefined
  /** An import or export: it takes as long as it is. */
  isStream: boolean
}

const FACTS = new WeakMap<IncomingMessage, RequestFacts>()

export function rememberFacts(request: IncomingMessage, facts: RequestFacts): void {
  FACTS.set(request, facts)
}

export function factsOf(request: IncomingMessage): RequestFacts {
  const facts = FACTS.get(request)
  if (facts === undefined) throw new Error('the request was not admitted')
  return facts
}
