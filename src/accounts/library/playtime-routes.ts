import { buffer } from 'node:stream/consumers'
import type { Context } from '../../caller.ts'
import { AppError } from '../../errors.ts'
import { ok } from '../../http/answer.ts'
import type { IncomingStream } from '../../http/body.ts'
import { PROBLEMS } from '../../http/problems.ts'
import { type RouteGroup, route } from '../../http/route.ts'
import { present } from '../../http/visibility.ts'
import { MAX_PLAYTIME_ITEMS, NDJSON, playtimeAnswerSchema, readPlaytimeItems } from './playtime-schema.ts'
import type { PlaytimeItem, PlaytimeOutcome, PlaytimeService } from './playtime-service.ts'

/** A thousand items with room for white space. */
const MAX_BODY_BYTES = 1024 * 1024
const SHOWN = new Set(['id', 'playtimeSeconds', 'firstPlayedAt', 'lastPlayedAt'])

const example =
  '{"playerId":"01932f00-5b7e-7c1d-9a55-0e7c0f3d2b11","gameId":"01932f00-5b7e-7c1d-9a55-0e7c0f3d2b12",' +
  '"platform":"windows","playtimeSeconds":93600,"lastPlayedAt":"2026-04-01T21:30:00.000Z"}'

export function playtimeRoutes(playtimes: PlaytimeService): RouteGroup {
  return {
    routes: [
      route<undefined, undefined, IncomingStream>({
        operation: 'reportPlaytime',
        method: 'post',
        path: '/v1/playtime',
        tag: 'library',
        summary: 'Report how long games were played',
        description:
          `Totals of up to ${MAX_PLAYTIME_ITEMS} lines of libraries, as a JSON array or NDJSON. One answer for each item, in ` +
          'their order; an item with an error does not keep the others out. Safe to repeat and to send out of order: the ' +
          'greatest total, the earliest first and the latest last moment are kept, and none of them changes the version of ' +
          'the line. Moments before 1980 or more than a day ahead are refused: they would be kept for good.',
        access: ['library:write'],
        refusedHeaders: { 'Idempotency-Key': 'A report is safe to repeat as it is: totals only grow' },
        body: {
          kind: 'stream',
          types: ['application/json', NDJSON],
          maxBytes: MAX_BODY_BYTES,
          description: `An array of at most ${MAX_PLAYTIME_ITEMS} reports, or one report a line`,
          examples: { 'application/json': `[${example}]`, [NDJSON]: `${example}\n` },
        },
        answers: { 200: { description: 'What became of each item', schema: playtimeAnswerSchema } },
        problems: ['malformed-json', 'malformed-input', 'validation'],
        async handle({ body, context }) {
          const items = readPlaytimeItems(body.type, await buffer(body.stream))
          const reports = items.filter((item): item is PlaytimeItem => !(item instanceof AppError))
          const outcomes = (await playtimes.report(reports, context)).values()
          const data = items.map((item) => shown(item instanceof AppError ? item : outcomes.next().value, context))
          return ok({ data })
        },
      }),
    ],
  }
}

function shown(outcome: PlaytimeOutcome | AppError | undefined, { principal }: Context) {
  if (outcome === undefined) throw new Error('an item without an outcome')
  if (!(outcome instanceof AppError)) {
    return { status: outcome.status, ...present('player_game', outcome.line, principal, SHOWN) }
  }
  const { code, message, errors } = outcome
  const problem = { code, status: PROBLEMS[code].status, detail: message }
  return { status: 'error', problem: errors.length === 0 ? problem : { ...problem, errors } }
}
