import { PutObjectCommand } from '@aws-sdk/client-s3'
import { partKey } from '../../../src/lake/object-keys.ts'
import type { FaultPoint } from '../../../src/lake/snapshot/faults.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import type { UploadedPart } from '../../../src/lake/storage/multipart-uploads.ts'
import { deathAt } from './death.ts'
import { type LakePlace, type OpenLake, openLake } from './test-lake.ts'
import { muchLater, type Work } from './works.ts'

/** How the lake stands when a work begins that is going to be killed. */
export interface Situation {
  readonly work: Work
  /** Brings the lake there. */
  readonly before: (place: LakePlace) => Promise<void>
  /** States of all snapshots in the end, oldest first, wherever the work dies; of a run see `outcomesOfRun`. */
  readonly outcome?: readonly string[]
}

/** A run whose process dies at a point; its lease has run out since. */
async function dies(place: LakePlace, point: FaultPoint): Promise<void> {
  const death = deathAt(point)
  const open = openLake(place, {}, death)
  try {
    await runSnapshot(open.lake).catch(() => undefined)
    if (!death.dead) throw new Error(`${point} was not met`)
  } finally {
    await expireLease(open)
    await open.close()
  }
}

export async function expireLease({ database }: Pick<OpenLake, 'database'>): Promise<void> {
  await database.prisma.$executeRaw`UPDATE lake_lease SET expires_at = 'epoch', host = 'elsewhere'`
}

async function using(place: LakePlace, work: (open: OpenLake) => Promise<unknown>): Promise<void> {
  const open = openLake(place)
  try {
    await work(open)
  } finally {
    await open.close()
  }
}

export const SITUATIONS: Readonly<Record<string, Situation>> = {
  'a run': { work: 'run', before: async () => undefined },
  'a run whose rows a Spark job reads': { work: 'unload', before: async () => undefined },
  'recovery of a prepared snapshot': {
    work: 'recover',
    before: (place) => dies(place, 'after-control-prepared'),
    outcome: ['published'],
  },
  'recovery of uploads under way': {
    work: 'recover',
    before: (place) => dies(place, 'after-UploadPart'),
    outcome: ['failed'],
  },
  'recovery of a commit whose upload is gone': {
    work: 'recover',
    outcome: ['failed'],
    before: async (place) => {
      await dies(place, 'after-control-committing')
      await using(place, async ({ database, lake: { bucket } }) => {
        const [one, other] = await database.prisma.lakeUpload.findMany({ orderBy: { key: 'asc' } })
        if (!one || !other) throw new Error('Two uploads are needed')
        await bucket.multipart.complete({
          ...{ key: one.key, uploadId: one.uploadId, crc32: one.crc32 ?? '', bytes: Number(one.bytes) },
          parts: one.parts as unknown as UploadedPart[],
        })
        await bucket.multipart.abort(other.key, other.uploadId)
      })
    },
  },
  'recovery of a committed snapshot, beside a failed one whose last call came late': {
    work: 'recover',
    outcome: ['published', 'failed'],
    before: async (place) => {
      await dies(place, 'after-control-committed')
      await using(place, async ({ client, database }) => {
        const { id } = await database.prisma.lakeSnapshot.findFirstOrThrow()
        const failed = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`
        const problem = { code: 'abandoned', message: 'for a test', phase: 'uploading' }
        const at = new Date()
        await database.prisma.lakeSnapshot.create({
          data: { id: failed, state: 'failed', requestedBy: 'test', startedAt: at, endedAt: at, problem },
        })
        const Key = partKey('players', failed, 0, 0)
        await client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: 'late' }))
      })
    },
  },
  'retention of an old snapshot': {
    work: 'retain',
    outcome: ['retired', 'published'],
    before: (place) =>
      using(place, async ({ lake }) => {
        await runSnapshot(lake)
        await runSnapshot(lake)
      }),
  },
  'retention after the grace time': {
    work: 'retain',
    outcome: ['retired', 'published'],
    before: (place) =>
      using(place, async ({ lake }) => {
        await runSnapshot(lake)
        await runSnapshot(lake)
        await retainSnapshots(lake, { now: muchLater() })
      }),
  },
}

/** What an operator does after a crash. */
export async function putRight({ lake }: OpenLake, work: Work): Promise<void> {
  await recoverSnapshots(lake)
  if (work === 'retain') {
    await retainSnapshots(lake, { now: muchLater() })
    await retainSnapshots(lake, { now: new Date(muchLater().getTime() + 2 * lake.settings.retireGraceMs) })
  }
}
