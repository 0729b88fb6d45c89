import { Readable } from 'node:stream'
import { GlueClient } from '@aws-sdk/client-glue'

/** One request of the SDK, as it goes over the wire. */
export interface Asked {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/** The answer to one: a body, an error by its name, or a connection that breaks after the request was heard. */
export type Answer = object | { readonly error: string; readonly status?: number; readonly message?: string } | 'broken'

/** What answers the requests of a client of the SDK in the wire format AWS JSON 1.1, and every request so far. */
export function fakeService(answer: (asked: Asked) => Answer | Promise<Answer>) {
  const asked: Asked[] = []
  const handle = async (request: { headers: Record<string, string>; body: Uint8Array }) => {
    const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? ''
    const one = { operation, input: JSON.parse(Buffer.from(request.body).toString()) as Record<string, unknown> }
    asked.push(one)
    const told = await answer(one)
    if (told === 'broken') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    const failed = 'error' in told
    const body = failed ? { __type: told.error, message: told.message ?? 'for a test' } : told
    const statusCode = failed ? (told.status ?? 400) : 200
    const headers = { 'content-type': 'application/x-amz-json-1.1' }
    return { response: { statusCode, headers, body: Readable.from([Buffer.from(JSON.stringify(body))]) } }
  }
  const settings = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: { handle },
  }
  return { asked, settings }
}

/** A Glue client whose requests a function answers. */
export function fakeGlue(answer: (asked: Asked) => Answer | Promise<Answer>): { client: GlueClient; asked: Asked[] } {
  const { asked, settings } = fakeService(answer)
  return { client: new GlueClient(settings), asked }
}
