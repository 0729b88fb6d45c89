import http from 'node:http'
import type { Operation, Parameter } from '../support/api-document.ts'

/** One request of an operation, and the status that it must have. */
export interface ContractCall {
  /** Of the path's parameters. */
  readonly values?: Readonly<Record<string, string>>
  /** Without the question mark. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text goes as it is, anything else as JSON. */
  readonly body?: unknown
  /** Default: the first media type that the operation takes. */
  readonly type?: string
  readonly status: number
}

export interface ContractAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export interface Target {
  readonly url: string
  readonly method: string
  /** As the document writes it. */
  readonly path: string
  readonly operation: Operation
}

/** Sends exactly this, also what well-behaved clients would not: a GET with a body, a body without a type. */
export function send(target: Target, call: ContractCall, token: string | undefined): Promise<ContractAnswer> {
  const path = target.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameterValue(call, name)))
  const payload = call.body === undefined ? undefined : text(call.body)
  const type = call.type ?? Object.keys(target.operation.requestBody?.content ?? {})[0]
  const headers: Record<string, string> = {
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(payload === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(payload)) }),
    ...(payload === undefined || type === undefined ? {} : { 'Content-Type': type }),
    ...call.headers,
  }
  const address = `${target.url}${path}${call.query === undefined ? '' : `?${call.query}`}`
  return request(address, target.method.toUpperCase(), headers, payload)
}

function parameterValue({ values = {} }: ContractCall, name: string): string {
  const value = values[name]
  if (value === undefined) throw new Error(`The call does not say what ${name} is`)
  return value
}

const text = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body))

const agent = new http.Agent({ keepAlive: true })

function request(
  address: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  payload: string | undefined,
): Promise<ContractAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false
    const sent = http.request(address, { method, headers, agent }, (response) => {
      answered = true
      let received = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        received += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        const all = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(all), text: received })
      })
    })
    // A refusal may come before the body is taken: what counts is the answer.
    sent.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && !answered) reject(error)
    })
    sent.end(payload)
  })
}

/** A well-formed value of a path parameter that names nothing. */
export function unknownValue({ name, schema, example }: Parameter): string {
  if (schema.enum !== undefined || schema.const !== undefined) return String(example)
  if (schema.format === 'uuid') return crypto.randomUUID()
  if (String(example).startsWith('slug:')) return crypto.randomUUID()
  return UNKNOWN[name] ?? 'no-such-thing'
}

const UNKNOWN: Readonly<Record<string, string>> = {
  part: '9999',
  name: 'no_such_table',
  id: '20200101t000000z-00000000',
}
