import { z } from 'zod'
import { accepted, created, noContent, ok } from '../http/answer.ts'
import { jsonBody } from '../http/body.ts'
import { type Route, type RouteGroup, route } from '../http/route.ts'
import { requestedSnapshot } from './lake-examples.ts'
import { lakePageQuery } from './lake-page-query.ts'
import {
  holdPageSchema,
  holdSchema,
  lakeTableSchema,
  lakeTablesSchema,
  newHoldSchema,
  snapshotPageSchema,
  snapshotSchema,
  snapshotWithManifestSchema,
  verifyResultSchema,
} from './lake-schema.ts'
import type { LakeService } from './lake-service.ts'
import { isSnapshotId } from './object-keys.ts'
import { queryRoutes } from './query-routes.ts'
import type { QueryService } from './query-service.ts'
import { SNAPSHOT_STATES, type SnapshotState } from './snapshot/states.ts'

const READ = ['lake:read'] as const
const SNAPSHOT = ['lake:snapshot'] as const
const tag = 'lake'
const RUNNING_RETRY_SECONDS = '5'

const idParam = z.string().refine(isSnapshotId)
const params = z.strictObject({ id: idParam })

export function lakeRoutes(lake: LakeService, queries: QueryService): RouteGroup {
  return {
    routes: [
      ...tableRoutes(lake),
      ...snapshotListRoutes(lake),
      ...snapshotRoutes(lake),
      ...holdRoutes(lake),
      ...queryRoutes(queries),
    ],
  }
}

function tableRoutes(lake: LakeService): Route[] {
  return [
    route({
      operation: 'listLakeTables',
      method: 'get',
      path: '/v1/lake/tables',
      tag,
      summary: 'The tables of the lake: columns, classes, what happens to each, and the last snapshot',
      access: READ,
      answers: { 200: { description: 'All tables', schema: lakeTablesSchema } },
      handle: async () => ok({ data: await lake.tables() }),
    }),
    route({
      operation: 'getLakeTable',
      method: 'get',
      path: '/v1/lake/tables/{name}',
      tag,
      summary: 'One table of the lake',
      access: READ,
      params: z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/) }),
      answers: { 200: { description: 'The table', schema: lakeTableSchema } },
      handle: async ({ params }) => ok(await lake.table(params.name)),
    }),
  ]
}

const snapshotQuery = lakePageQuery({
  defaultLimit: 50,
  maxLimit: 200,
  filters: { state: { values: SNAPSHOT_STATES, description: 'Only snapshots in this state' } },
})

function snapshotListRoutes(lake: LakeService): Route[] {
  return [
    route({
      operation: 'listSnapshots',
      method: 'get',
      path: '/v1/lake/snapshots',
      tag,
      summary: 'Snapshots, newest first, page by page',
      access: READ,
      query: snapshotQuery,
      answers: { 200: { description: 'A page', schema: snapshotPageSchema } },
      async handle({ query }) {
        const state = query.filters.state as SnapshotState | undefined
        const rows = await lake.snapshots({
          limit: query.limit + 1,
          ...(query.after === undefined ? {} : { before: Number(query.after) }),
          ...(state === undefined ? {} : { state }),
        })
        const data = rows.slice(0, query.limit)
        const last = data.at(-1)
        const more = rows.length > data.length && last !== undefined
        const next = more ? { values: [], id: String(last.sequence), backward: false } : undefined
        return { kind: 'page', list: query.list, page: { next, previous: undefined }, data }
      },
    }),
    route({
      operation: 'requestSnapshot',
      method: 'post',
      path: '/v1/lake/snapshots',
      tag,
      summary: 'Take a snapshot: one consistent copy of all tables in the lake',
      description: 'A process of its own takes it. Follow Location until the state is published or failed.',
      access: SNAPSHOT,
      answers: {
        202: {
          description: 'It will be taken',
          schema: snapshotSchema,
          example: requestedSnapshot,
          headers: { Location: 'Where it can be followed' },
        },
      },
      problems: ['snapshot-running', 'unavailable'],
      effect: 'outside',
      async handle({ context, repeat }) {
        const snapshot = await lake.requestSnapshot(context, repeat?.token)
        return accepted(`/v1/lake/snapshots/${snapshot.id}`, snapshot, { 'Retry-After': RUNNING_RETRY_SECONDS })
      },
    }),
  ]
}

function snapshotRoutes(lake: LakeService): Route[] {
  return [
    route({
      operation: 'getSnapshot',
      method: 'get',
      path: '/v1/lake/snapshots/{id}',
      tag,
      summary: 'One snapshot, with its manifest: keys, rows, bytes, SHA-256 and columns of every file',
      access: READ,
      params,
      answers: {
        200: {
          description: 'The snapshot',
          schema: snapshotWithManifestSchema,
          headers: { 'Retry-After': 'While it runs' },
        },
      },
      async handle({ params }) {
        const snapshot = await lake.snapshot(params.id)
        const running = snapshot.endedAt === null
        return ok(snapshot, running ? { headers: { 'Retry-After': RUNNING_RETRY_SECONDS } } : {})
      },
    }),
    route({
      operation: 'verifySnapshot',
      method: 'post',
      path: '/v1/lake/snapshots/{id}/verify',
      tag,
      summary: 'Compare what is stored and catalogued with what the manifest promises; reads only',
      access: SNAPSHOT,
      params,
      answers: { 200: { description: 'What was found', schema: verifyResultSchema } },
      problems: ['conflict', 'unavailable'],
      refusedHeaders: { 'Idempotency-Key': 'A verification changes nothing: repeat it as it is' },
      async handle({ params, signal }) {
        const { files, rows, findings } = await lake.verify(params.id, signal)
        return ok({ healthy: findings.length === 0, files, rows, findings })
      },
    }),
  ]
}

const holdQuery = lakePageQuery({ defaultLimit: 50, maxLimit: 200 })

function holdRoutes(lake: LakeService): Route[] {
  return [
    route({
      operation: 'listHolds',
      method: 'get',
      path: '/v1/lake/holds',
      tag,
      summary: 'Who keeps which snapshot from being removed; holds that have run out are not shown',
      access: READ,
      query: holdQuery,
      answers: { 200: { description: 'A page, newest first', schema: holdPageSchema } },
      async handle({ query }) {
        const before = query.after === undefined ? {} : { before: query.after }
        const rows = await lake.holds.list({ limit: query.limit + 1, ...before })
        const data = rows.slice(0, query.limit)
        const last = data.at(-1)
        const more = rows.length > data.length && last !== undefined
        const next = more ? { values: [], id: last.id, backward: false } : undefined
        return { kind: 'page', list: query.list, page: { next, previous: undefined }, data }
      },
    }),
    route({
      operation: 'holdSnapshot',
      method: 'post',
      path: '/v1/lake/snapshots/{id}/holds',
      tag,
      summary: 'Keep a snapshot from being removed while somebody reads it',
      access: SNAPSHOT,
      params,
      body: jsonBody(newHoldSchema),
      answers: { 201: { description: 'The hold', schema: holdSchema, headers: { Location: 'Where the hold is' } } },
      problems: ['conflict'],
      async handle({ params, body, context }) {
        const hold = await lake.holds.add(params.id, { ...body, expiresAt: new Date(body.expiresAt) }, context)
        return created(`/v1/lake/snapshots/${hold.snapshotId}/holds/${hold.id}`, hold)
      },
    }),
    route({
      operation: 'releaseSnapshot',
      method: 'delete',
      path: '/v1/lake/snapshots/{id}/holds/{holdId}',
      tag,
      summary: 'End a hold',
      access: SNAPSHOT,
      params: z.strictObject({ id: idParam, holdId: z.uuid() }),
      answers: { 204: { description: 'It has ended' } },
      async handle({ params, context }) {
        await lake.holds.release(params.holdId, context, params.id)
        return noContent()
      },
    }),
  ]
}
