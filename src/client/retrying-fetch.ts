/** When and how often a request is sent again. */
export interface RetryOptions {
  /** How often at most; default 4. */
  readonly retries?: number
  /**
   * The longest wait that is taken on, also when the service asks for more; default 60 s. So long in all a request is waited for that
   * still runs, or whose process has died, which the service finds out after some seconds: that takes none of the retries.
   */
  readonly maxWaitMs?: number
  readonly fetch?: typeof fetch
}

/** Doubles with each attempt, when the service does not say how long to wait. */
const FIRST_WAIT_MS = 200
const KEY = 'Idempotency-Key'

/**
 * `fetch` that sends a request again when that can do no harm: any request after 429, which acts before anything else; a read, a
 * PUT or a request with an Idempotency-Key also after 503, a lost connection, and 409 while the first one still runs. A body that
 * is a stream is sent once.
 */
export function retryingFetch(options: RetryOptions = {}): (request: Request) => Promise<Response> {
  const { retries = 4, maxWaitMs = 60_000, fetch: send = fetch } = options
  return async (request) => {
    // A body can be read once: it is kept for the next attempt.
    const body = request.body === null ? undefined : await request.arrayBuffer()
    let waitedMs = 0
    for (let attempt = 0; ; attempt++) {
      const again = () => send(new Request(request, body === undefined ? {} : { body }))
      const last = attempt >= retries
      try {
        let response = await again()
        while (retries > 0 && stillRuns(request, response) && waitedMs < maxWaitMs) {
          const ms = waitOf(response, attempt, maxWaitMs)
          await response.body?.cancel()
          await wait(ms, request.signal)
          waitedMs += ms
          response = await again()
        }
        if (last || !mayRepeat(request, response)) return response
        await response.body?.cancel()
        await wait(waitOf(response, attempt, maxWaitMs), request.signal)
      } catch (error) {
        if (last || request.signal.aborted || !isSafe(request)) throw error
        await wait(waitOf(undefined, attempt, maxWaitMs), request.signal)
      }
    }
  }
}

/** Twice is the same as once. */
function isSafe({ method, headers }: Request): boolean {
  if (method === 'GET' || method === 'HEAD' || headers.has(KEY)) return true
  // With If-Match the second attempt would meet the version that the first one made.
  return method === 'PUT' && !headers.has('If-Match')
}

function mayRepeat(request: Request, response: Response): boolean {
  if (response.status === 429) return true
  return response.status === 503 && isSafe(request)
}

/** The first one with this key has not ended. */
function stillRuns(request: Request, response: Response): boolean {
  return response.status === 409 && request.headers.has(KEY) && response.headers.has('Retry-After')
}

function waitOf(response: Response | undefined, attempt: number, maxWaitMs: number): number {
  const seconds = Number(response?.headers.get('Retry-After') ?? Number.NaN)
  // Spread, so that callers who were refused together do not come back together.
  const backOffMs = FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random())
  return Math.min(Number.isFinite(seconds) ? seconds * 1000 : backOffMs, maxWaitMs)
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const leave = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    }, ms)
    signal.addEventListener('abort', leave, { once: true })
  })
}
