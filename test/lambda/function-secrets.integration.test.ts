import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchSecrets } from '../../src/lambda/function-secrets.ts'

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:accounts/service-AbCdEf'
const stored: Record<string, string> = {
  [ARN]: JSON.stringify({ username: 'accounts_service', password: 'p', port: 5432 }),
  plain: 'c'.repeat(64),
}
const asked: string[] = []

/** Answers as the AWS Parameters and Secrets Lambda Extension does. */
const extension = createServer((request, response) => {
  const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('secretId') ?? ''
  asked.push(id)
  if (request.headers['x-aws-parameters-secrets-token'] !== 'session') return void response.writeHead(401).end()
  const text = stored[id]
  if (text === undefined) return void response.writeHead(400).end('{"__type":"ResourceNotFoundException"}')
  response.end(JSON.stringify({ ARN: id, Name: 'x', VersionStages: ['AWSCURRENT'], SecretString: text }))
})
beforeAll(() => new Promise<void>((resolve) => extension.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => extension.close(resolve)))

const fetched = (references: unknown, session = 'session') =>
  fetchSecrets({
    FUNCTION_SECRETS: typeof references === 'string' ? references : JSON.stringify(references),
    AWS_SESSION_TOKEN: session,
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String((extension.address() as AddressInfo).port),
  })

describe('secret settings of a function', () => {
  it('are whole secrets or fields of them, each secret asked for once', async () => {
    asked.length = 0
    const values = await fetched({
      DATABASE_USER: { secret: ARN, field: 'username' },
      DATABASE_PASSWORD: { secret: ARN, field: 'password' },
      DATABASE_PORT: { secret: ARN, field: 'port' },
      CURSOR_KEY: { secret: 'plain' },
    })
    expect(values).toEqual({
      DATABASE_USER: 'accounts_service',
      DATABASE_PASSWORD: 'p',
      DATABASE_PORT: '5432',
      CURSOR_KEY: 'c'.repeat(64),
    })
    expect(asked.sort()).toEqual([ARN, 'plain'])
  })

  it('are none without FUNCTION_SECRETS', async () => {
    expect(await fetchSecrets({})).toEqual({})
  })

  it.each([
    ['a secret that is not there', { CURSOR_KEY: { secret: 'gone' } }],
    ['a field that it has not', { CURSOR_KEY: { secret: ARN, field: 'nothing' } }],
    ['a field of text', { CURSOR_KEY: { secret: 'plain', field: 'x' } }],
  ])('that cannot be had are named, never shown: %s', async (_name, references) => {
    const error = await fetched(references).then(() => undefined, String)
    expect(error).toContain('CURSOR_KEY cannot be had')
    expect(error).not.toContain('cccc')
  })

  it('need a token that the function alone has', async () => {
    await expect(fetched({ CURSOR_KEY: { secret: 'plain' } }, 'other')).rejects.toThrow('CURSOR_KEY')
  })

  it.each(['{', '[]', '{"A":"b"}', '{"A":{"secret":""}}'])('are refused in another form: %s', async (text) => {
    await expect(fetched(text)).rejects.toThrow('FUNCTION_SECRETS must be')
  })
})
