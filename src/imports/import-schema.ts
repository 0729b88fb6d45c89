import { z } from 'zod'
import type { ParameterDoc } from '../http/query.ts'
import { plainQuery } from '../http/query.ts'
import { IMPORT_MODES, type ImportOptions, ON_ERROR } from './import-run.ts'

const FLAG = ['true', 'false'] as const
const flag = z.enum(FLAG).transform((text) => text === 'true')

/** The query of an import of a resource with these keys. */
export function importQuery(keys: readonly string[]) {
  const schema = z.strictObject({
    mode: z.enum(IMPORT_MODES).optional(),
    onError: z.enum(ON_ERROR).optional(),
    atomic: flag.optional(),
    dryRun: flag.optional(),
    ...(keys.length === 0 ? {} : { matchBy: z.enum(keys as [string, ...string[]]).optional() }),
  })
  const parameters: ParameterDoc[] = [
    parameter('mode', 'What lines may do; default upsert', IMPORT_MODES),
    parameter('onError', 'abort stops at the first error, and lines before it stay; default continue', ON_ERROR),
    parameter('atomic', 'true: all or nothing, at most 1000 lines; default false', FLAG),
    parameter('dryRun', 'true: the same verdicts, and nothing is written; default false', FLAG),
  ]
  if (keys.length > 0) {
    const description = 'The key by which a line finds its record; default: the first of these that it carries'
    parameters.push(parameter('matchBy', description, keys))
  }
  const reader = plainQuery(schema, parameters)
  return { ...reader, read: (...given: Parameters<typeof reader.read>) => reader.read(...given) as ImportOptions }
}

function parameter(name: string, description: string, values: readonly string[]): ParameterDoc {
  return { name, description, schema: { type: 'string', enum: values } }
}

const problem = z.looseObject({
  code: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z
    .array(z.looseObject({ pointer: z.string().optional(), code: z.string(), detail: z.string().optional() }))
    .optional(),
})

const count = z.int().min(0)

const index = z.int().min(0).optional().meta({ description: 'In a JSON array: the place of the element' })

/** One line of the answer. */
export const importAnswerSchema = z
  .union([
    z.object({
      line: z.int().min(1),
      index,
      status: z.enum(['created', 'updated', 'unchanged']),
      id: z.uuid().optional().meta({ description: 'Absent of a record that a dry run would create' }),
      version: z.int().optional(),
    }),
    z.object({ line: z.int().min(1), index, status: z.literal('error'), problem }),
    z.object({
      _end: z.object({
        lines: count,
        created: count,
        updated: count,
        unchanged: count,
        errors: count,
        dryRun: z.boolean(),
        rolledBack: z.literal(true).optional().meta({ description: 'Of an atomic import: nothing was written' }),
        cancelled: z.literal(true).optional().meta({ description: 'Of a job: the rest was not looked at' }),
        aborted: z.literal(true).optional().meta({ description: 'After onError=abort: the rest was not looked at' }),
      }),
    }),
    z.object({
      _problem: problem,
      totals: z
        .object({ lines: count, created: count, updated: count, unchanged: count, errors: count })
        .meta({ description: 'What was answered until the import failed; it stays' }),
    }),
  ])
  .meta({ id: 'ImportAnswer' })
