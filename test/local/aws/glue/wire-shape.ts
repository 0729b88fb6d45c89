import { Readable } from 'node:stream'
import type { GlueClient } from '@aws-sdk/client-glue'
import * as glueModule from '@aws-sdk/client-glue'

/**
 * The SDK's own description of a shape: a number for simple types (0 string, 1 number, 2 boolean, 4 time; 64 and 128 added for a list
 * or map of them), or [kind, namespace, name, traits, …] with kind 1 list, 2 map, 3 structure, 9 operation.
 */
type Described = number | readonly unknown[]
type Schema = Described | (() => Described)

const LIST_OF = 64
const MAP_OF = 128

/** Every way in which a JSON value is not of the shape: members it does not know, wrong types, missing required members. */
export function shapeProblems(given: Schema, value: unknown, path: string): string[] {
  const schema = typeof given === 'function' ? given() : given
  if (typeof schema === 'number') return simpleProblems(schema, value, path)
  const [kind] = schema
  if (kind === 1) return listProblems(schema[4] as Schema, value, path)
  if (kind === 2) return mapProblems(schema[5] as Schema, value, path)
  if (kind === 3) return structureProblems(schema, value, path)
  return simpleProblems(schema[4] as number, value, path)
}

function simpleProblems(schema: number, value: unknown, path: string): string[] {
  if (schema >= MAP_OF) return mapProblems(schema - MAP_OF, value, path)
  if (schema >= LIST_OF) return listProblems(schema - LIST_OF, value, path)
  const wanted = schema === 1 || schema === 4 ? 'number' : schema === 2 ? 'boolean' : 'string'
  return typeof value === wanted ? [] : [`${path}: ${JSON.stringify(value)} is no ${wanted}`]
}

function listProblems(element: Schema, value: unknown, path: string): string[] {
  if (!Array.isArray(value)) return [`${path} is no list`]
  return value.flatMap((one, index) => shapeProblems(element, one, `${path}[${index}]`))
}

function mapProblems(element: Schema, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no map`]
  return Object.entries(value).flatMap(([key, one]) => shapeProblems(element, one, `${path}.${key}`))
}

function structureProblems(schema: readonly unknown[], value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`]
  const names = schema[4] as string[]
  const schemas = schema[5] as Schema[]
  const required = names.slice(0, (schema[6] as number | undefined) ?? 0)
  const members = value as Record<string, unknown>
  const missing = required.filter((name) => members[name] === undefined).map((name) => `${path}.${name} is missing`)
  return missing.concat(
    Object.entries(members).flatMap(([name, member]) => {
      const index = names.indexOf(name)
      return index < 0 ? [`${path}.${name} is no member`] : shapeProblems(schemas[index]!, member, `${path}.${name}`)
    }),
  )
}

/** Problems of an operation's answer, by the SDK's description of the operation. */
export function answerProblems(operation: string, answer: unknown): string[] {
  const schema = (glueModule as unknown as Record<string, Schema>)[`${operation}$`]
  if (!Array.isArray(schema) || schema[0] !== 9) return [`the SDK describes no operation ${operation}`]
  return shapeProblems(schema[5] as Schema, answer, operation)
}

/** From now on each answer that the client gets must be exactly of its operation's shape; else the call fails. */
export function checkAnswers(client: GlueClient): GlueClient {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args)
      const response = result.response as { statusCode: number; body: Readable }
      const body = Buffer.concat(await response.body.toArray())
      response.body = Readable.from([body])
      if (response.statusCode === 200) {
        const operation = (context.commandName ?? '').replace(/Command$/, '')
        const problems = answerProblems(operation, JSON.parse(body.toString('utf8')))
        if (problems.length > 0) throw new Error(`${operation} answers in another shape: ${problems.join('; ')}`)
      }
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'checkAnswers' },
  )
  return client
}
