import type { Ajv2020 } from 'ajv/dist/2020.js'
import { type ApiDocument, headersOf, validatorAt } from '../support/api-document.ts'
import type { ContractAnswer, Target } from './requests.ts'

/** Headers of HTTP itself and of security, which every answer may have. */
const UNTOLD = new Set([
  ...['connection', 'keep-alive', 'date', 'content-type', 'content-length', 'transfer-encoding', 'content-encoding'],
  ...['cache-control', 'vary', 'x-content-type-options', 'content-security-policy', 'cross-origin-resource-policy'],
  ...['referrer-policy', 'strict-transport-security'],
])

/** What an answer of a status always has, where the document names it. */
const ALWAYS: Readonly<Record<number, readonly string[]>> = {
  201: ['Location'],
  202: ['Location'],
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

/** Everything in which an answer differs from what the document promises; empty when it keeps the promise. */
export function broken(document: ApiDocument, ajv: Ajv2020, target: Target, answer: ContractAnswer): string[] {
  const promise = target.operation.responses[String(answer.status)]
  if (promise === undefined) return [`${answer.status} is not among its answers: ${answer.text.slice(0, 300)}`]
  const told = headersOf(document, promise)
  return [
    ...headersMissing(target, answer, [...told.keys()]),
    ...headersWrong(answer, told),
    ...bodyWrong(ajv, target, answer, promise.content),
  ]
}

function headersMissing(target: Target, { status, headers }: ContractAnswer, told: readonly string[]): string[] {
  const quotas = status < 400 && target.operation.security.length > 0 ? ['RateLimit', 'RateLimit-Policy'] : []
  const always = ['X-Request-Id', ...quotas, ...(ALWAYS[status] ?? [])]
  const absent = always.filter((name) => headers[name.toLowerCase()] === undefined)
  const untold = always.filter((name) => !told.includes(name))
  return [...absent.map((name) => `${name} is absent`), ...untold.map((name) => `${name} is not in the document`)]
}

function headersWrong({ headers }: ContractAnswer, told: ReadonlyMap<string, RegExp | undefined>): string[] {
  const patterns = new Map([...told].map(([name, pattern]) => [name.toLowerCase(), pattern]))
  return Object.entries(headers).flatMap(([name, value]) => {
    if (UNTOLD.has(name)) return []
    if (!patterns.has(name)) return [`the header ${name} is not in the document`]
    return patterns.get(name)?.test(value) === false ? [`the header ${name} has the wrong form: ${value}`] : []
  })
}

function bodyWrong(ajv: Ajv2020, target: Target, answer: ContractAnswer, content: object | undefined): string[] {
  const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (content === undefined) return answer.text === '' ? [] : [`there is a body where none is promised (${type})`]
  if (!Object.hasOwn(content, type)) return [`the media type is ${type}, not ${Object.keys(content).join(' or ')}`]
  const { path, method } = target
  const place = ['paths', path, method, 'responses', String(answer.status), 'content', type, 'schema']
  if (type === 'application/x-ndjson') return linesWrong(ajv, [...place, 'x-line-schema'], answer.text)
  const validate = validatorAt(ajv, place)
  const value = type.endsWith('json') ? JSON.parse(answer.text) : answer.text
  return validate(value) ? [] : [`the body is not as promised: ${ajv.errorsText(validate.errors)}`]
}

function linesWrong(ajv: Ajv2020, place: readonly string[], text: string): string[] {
  const validate = validatorAt(ajv, place)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .filter((line) => !validate(JSON.parse(line)))
    .map((line) => `the line is not as promised: ${line.slice(0, 300)}: ${ajv.errorsText(validate.errors)}`)
}
