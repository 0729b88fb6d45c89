import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { AppError, invalid } from '../../errors.ts'
import { parseJson } from '../../http/body.ts'
import { parseJsonText } from '../../http/json-text.ts'
import { check } from '../../http/validation.ts'
import { PLATFORMS } from '../games/game-platform.ts'
import { instantField } from '../text/text-schema.ts'
import type { PlaytimeItem } from './playtime-service.ts'

export const MAX_PLAYTIME_ITEMS = 1000
export const NDJSON = 'application/x-ndjson'

const id = z.uuid().transform((text) => text.toLowerCase())

export const playtimeItemSchema: z.ZodType<PlaytimeItem> = z
  .strictObject({
    playerId: id.meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11' }),
    gameId: id.meta({ example: '01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12' }),
    platform: z.enum(PLATFORMS).meta({ example: 'windows' }),
    playtimeSeconds: z.int().min(0).meta({ description: 'The total so far, never a difference', example: 93_600 }),
    firstPlayedAt: instantField.nullable().optional().meta({ example: '2026-03-05T18:00:00.000Z' }),
    lastPlayedAt: instantField.nullable().optional().meta({ example: '2026-04-01T21:30:00.000Z' }),
  })
  .meta({ id: 'PlaytimeReport' })

/**
 * The items of a body, each checked on its own: a bad one does not keep the others out.
 *
 * @throws AppError `malformed-json` when a JSON body is none, `validation` when it is no array or has too many items
 */
export function readPlaytimeItems(type: string, body: Buffer): (PlaytimeItem | AppError)[] {
  if (type === NDJSON) return itemsOf(linesOf(body), itemOfLine)
  const value = parseJson(body)
  if (!Array.isArray(value)) throw invalid([{ pointer: '', code: 'type', detail: 'must be an array' }])
  return itemsOf(value, itemOf)
}

function itemsOf<T>(given: readonly T[], read: (item: T) => PlaytimeItem | AppError): (PlaytimeItem | AppError)[] {
  if (given.length <= MAX_PLAYTIME_ITEMS) return given.map(read)
  throw invalid([{ pointer: '', code: 'too-long', detail: `at most ${MAX_PLAYTIME_ITEMS} items` }])
}

function itemOf(value: unknown): PlaytimeItem | AppError {
  const checked = check(playtimeItemSchema, value)
  return checked.ok ? checked.value : invalid(checked.errors)
}

const BYTE_ORDER_MARK = /^\ufeff/

/** Lines as bytes: one that is no UTF-8 is an error of its own. */
function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start <= body.length; ) {
    const newline = body.indexOf(0x0a, start)
    const end = newline < 0 ? body.length : newline
    const line = body.subarray(start, end)
    if (line.toString('utf8').trim() !== '') lines.push(line)
    start = end + 1
  }
  return lines
}

function itemOfLine(line: Buffer): PlaytimeItem | AppError {
  if (!isUtf8(line)) return new AppError('malformed-json', 'The line is not in UTF-8')
  try {
    return itemOf(parseJsonText(line.toString('utf8').replace(BYTE_ORDER_MARK, '')))
  } catch {
    return new AppError('malformed-json', 'The line is not valid JSON, or has an object with the same field twice')
  }
}

const problemSchema = z.looseObject({
  code: z.string().meta({ example: 'not-found' }),
  status: z.int().meta({ example: 404 }),
  detail: z.string().meta({ example: 'The game is not in this library on this platform' }),
})

export const playtimeAnswerSchema = z
  .object({
    data: z
      .array(
        z.object({
          status: z.enum(['updated', 'unchanged', 'error']).meta({ example: 'updated' }),
          id: z.uuid().optional().meta({ description: 'Of the line of the library' }),
          playtimeSeconds: z.int().optional().meta({ description: 'The total that is kept', example: 93_600 }),
          firstPlayedAt: z.iso.datetime().nullable().optional(),
          lastPlayedAt: z.iso.datetime().nullable().optional(),
          problem: problemSchema.optional().meta({ description: 'Only with status error' }),
        }),
      )
      .meta({ description: 'One for each item, in their order' }),
  })
  .meta({ id: 'PlaytimeAnswer' })
