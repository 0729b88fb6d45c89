import type { components } from './generated-api.ts'

/** RFC 9457, as the service sends it. */
export type Problem = components['schemas']['Problem']

/** The service refused a request; nothing was changed. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  /** Stable: decide by it, not by the text. `GET /v1/problems/{slug}` says what each is about. */
  readonly code: string
  readonly status: number
  /** One for each invalid field, parameter or header. */
  readonly errors: NonNullable<Problem['errors']>
  /** Names the request in the service's log. */
  readonly requestId: string | undefined
  /** Everything that the service said, extension members like `allowed` or `missing` among it. */
  readonly problem: Problem
  readonly response: Response

  constructor(problem: Problem, response: Response) {
    super(`${problem.code}: ${problem.detail}`)
    this.code = problem.code
    this.status = problem.status ?? response.status
    this.errors = problem.errors ?? []
    this.requestId = problem.requestId
    this.problem = problem
    this.response = response
  }
}

/** A stream ended without the line that proves it whole. What came before it is as the service sent it. */
export class IncompleteStreamError extends Error {
  override readonly name = 'IncompleteStreamError'
}

/** The error of an answer that is none of success. */
export async function problemErrorOf(response: Response): Promise<ProblemError> {
  return problemError(await response.text(), response)
}

/** @param text what the answer's body was */
export function problemError(text: string, response: Response): ProblemError {
  const known = parsed(text)
  const { status } = response
  // Proxies on the way answer in their own words.
  const foreign = {
    type: 'about:blank',
    title: response.statusText,
    status,
    detail: text.slice(0, 500),
    code: 'unknown',
  }
  return new ProblemError(known ?? foreign, response)
}

function parsed(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null
    return typeof value?.code === 'string' ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}
