import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { problemCodes } from '../../src/http/openapi-problems.ts'
import { PROBLEMS } from '../../src/http/problems.ts'
import { importTargets } from '../../src/imports/import-target.ts'
import { contentsOf, schemaCompiler, validatorAt, withResponses } from '../support/api-document.ts'
import { wholeDocument } from '../support/whole-document.ts'

const published = wholeDocument()
const document = withResponses(published)
const ajv = schemaCompiler(document)
const contents = contentsOf(document)

describe('the examples of the API document', () => {
  it('are there for every request, every answer and every problem', () => {
    const without = contents.filter(({ examples }) => Object.keys(examples).length === 0)
    expect(without.map(({ name }) => name)).toEqual([])
    expect(contents.length).toBeGreaterThan(500)
    expect(Object.keys(document.components.examples ?? {}).sort()).toEqual(Object.keys(PROBLEMS).sort())
  })

  it('are what their schemas say', () => {
    const wrong: string[] = []
    for (const { name, place, examples } of contents) {
      const validate = validatorAt(ajv, [...place, 'schema'])
      for (const [key, value] of Object.entries(examples)) {
        if (!validate(value)) wrong.push(`${name} ${key}: ${ajv.errorsText(validate.errors)}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('show in each line of a stream what a line of it may be', () => {
    const streams = contents.filter(({ media }) => media.schema['x-line-schema'] !== undefined)
    expect(streams.length).toBeGreaterThanOrEqual(Object.keys(importTargets).length)
    for (const { name, place, examples } of streams) {
      const validate = validatorAt(ajv, [...place, 'schema', 'x-line-schema'])
      const lines = String(Object.values(examples)[0]).trimEnd().split('\n')
      for (const line of lines) expect(validate(JSON.parse(line)), `${name}: ${line}`).toBe(true)
    }
  })

  it('of import bodies are lines that the import takes', () => {
    for (const [resource, target] of Object.entries(importTargets)) {
      const [operation] = Object.values(document.paths[`/v1/imports/${resource}`] ?? {})
      const text = operation?.requestBody?.content['application/x-ndjson']?.example
      for (const line of String(text).trimEnd().split('\n')) {
        expect(target.parse(JSON.parse(line)), line).toMatchObject({ ok: true })
      }
    }
  })

  it('name the problem that they are an example of, and its status', () => {
    const problems = contents.filter(({ place }) => place.includes('application/problem+json'))
    for (const { name, place, examples } of problems) {
      for (const [code, value] of Object.entries(examples)) {
        expect(value, name).toMatchObject({ code, status: Number(place[4]), type: expect.stringContaining(code) })
      }
    }
  })

  it('leave no problem out that follows from the declaration of an operation', () => {
    const open = { operation: 'x', method: 'post', path: '/v1/x', tag: 'x', summary: 'x', answers: {} } as const
    const codes = problemCodes({ ...open, access: ['games:read'], ifMatch: 'required', handle: () => never() })
    expect(codes).toEqual(
      expect.arrayContaining(['unauthenticated', 'forbidden', 'quota-exceeded', 'version-mismatch']),
    )
    expect(codes).toEqual(expect.arrayContaining(['idempotency-in-progress', 'idempotency-mismatch']))
  })
})

describe('the API document', () => {
  it('passes the lint rules of OpenAPI 3.1', { timeout: 60_000 }, async () => {
    const config = await createConfig({
      extends: ['recommended'],
      rules: {
        // The API is for internal callers and has no licence to name.
        'info-license': 'off',
        // by-ref has no method in common with what it could be mistaken for.
        'no-ambiguous-paths': 'off',
        // Lines of streams and the list of all problems are there for readers and clients.
        'no-unused-components': 'off',
        'security-defined': 'error',
        'operation-description': 'off',
      },
    })
    const findings = await lintFromString({ source: JSON.stringify(published), config })
    expect(findings.map(({ ruleId, message, location }) => `${ruleId} ${message} ${location[0]?.pointer}`)).toEqual([])
  })

  it('says what each tag is about, and names the scopes of an operation where tools look for them', () => {
    for (const { name, description } of document.tags) expect(description, name).toMatch(/^\w.+\.$/)
    for (const item of Object.values(document.paths)) {
      for (const operation of Object.values(item)) {
        const scopes = Object.values(operation.security[0] ?? {})[0] ?? []
        expect(operation['x-scopes'] ?? []).toEqual(scopes)
      }
    }
  })
})

function never(): never {
  throw new Error('the example is never asked')
}
