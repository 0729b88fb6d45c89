import { isUtf8 } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import { AppError } from '../errors.ts'
import type { AnswerForm, Incoming } from './incoming.ts'

/** An answer of the application, as it came. */
export interface WholeAnswer {
  readonly status: number
  /** Name and value in turn, as `IncomingMessage.rawHeaders` has them. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What API Gateway and load balancers take from a function; which members there are depends on the event. */
export interface Result {
  readonly statusCode: number
  readonly statusDescription?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly cookies?: readonly string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** A body of this share fits, whatever it is: a byte takes six characters in JSON at most, and there are headers. */
const SURELY_SMALL = 1 / 8

/** Of one connection (RFC 9110, section 7.6.1); and the length, which whoever writes the answer counts himself. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'content-length',
])

/**
 * The answer in the form of its event. Text goes as text, anything that is not UTF-8 (a compressed body) as base64: both arrive
 * byte for byte.
 *
 * @throws AppError `answer-too-large`
 */
export function resultOf(
  answer: WholeAnswer,
  { answer: form, maxResultBytes }: Pick<Incoming, 'answer' | 'maxResultBytes'>,
): Result {
  const asText = isUtf8(answer.body)
  const result: Result = {
    statusCode: answer.status,
    ...headersOf(answer, form),
    body: answer.body.toString(asText ? 'utf8' : 'base64'),
    isBase64Encoded: !asText,
  }
  if (
    answer.body.length > maxResultBytes * SURELY_SMALL &&
    Buffer.byteLength(JSON.stringify(result)) > maxResultBytes
  ) {
    throw answerTooLarge(maxResultBytes)
  }
  return result
}

export function answerTooLarge(maxBytes: number): AppError {
  return new AppError(
    'answer-too-large',
    `The answer has more than ${maxBytes} bytes in the form in which a function has to give it`,
    { extra: { maxBytes } },
  )
}

function headersOf(answer: WholeAnswer, form: AnswerForm): Partial<Result> {
  const lists = listsOf(answer.rawHeaders)
  const cookies = lists['set-cookie'] ?? []
  if (form === 'multi') return { ...described(answer), multiValueHeaders: lists }
  const { 'set-cookie': _own, ...others } = lists
  const headers = Object.fromEntries(Object.entries(others).map(([name, values]) => [name, values.join(', ')]))
  if (form === 'cookies') return { headers, ...(cookies.length === 0 ? {} : { cookies }) }
  const [cookie] = cookies
  return { ...described(answer), headers: { ...headers, ...(cookie === undefined ? {} : { 'set-cookie': cookie }) } }
}

/** Load balancers want it; API Gateway looks at the number alone. */
const described = ({ status }: WholeAnswer) => ({ statusDescription: `${status} ${STATUS_CODES[status] ?? ''}`.trim() })

function listsOf(rawHeaders: readonly string[]): Record<string, string[]> {
  const lists: Record<string, string[]> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i]?.toLowerCase(), rawHeaders[i + 1]]
    if (OF_THE_CONNECTION.has(name)) continue
    lists[name] ??= []
    lists[name].push(value)
  }
  return lists
}
