import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { ListMultipartUploadsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import type { WholeLake } from './whole-lake.ts'

/** What a lake takes of its machine at one moment. */
export interface Resources {
  readonly endpointRssMiB: number
  readonly endpointFiles: number
  readonly endpointProcesses: number
  readonly proxyConnections: number
  readonly postgresConnections: number
  /** Objects and bytes of the lake's bucket. */
  readonly lakeObjects: number
  readonly lakeBytes: number
  /** Files in the folder of the local S3 and bytes of it, without those that hold results of queries. */
  readonly blobFiles: number
  readonly blobBytes: number
  readonly uploads: number
}

export async function resourcesOf(lake: WholeLake): Promise<Resources> {
  const { aws, place, proxy } = lake
  const objects = await lakeObjects(lake)
  const results = await objectsOf(lake, new URL(place.resultsUri).hostname)
  const blobs = filesUnder(path.join(aws.dir, 's3', 'blobs'))
  const bytes = (all: readonly { readonly bytes: number }[]) => all.reduce((sum, one) => sum + one.bytes, 0)
  const uploads = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket: place.bucket }))
  return {
    endpointRssMiB: Math.round(rssBytes(aws.pid) / 2 ** 20),
    endpointFiles: readdirSync(`/proc/${aws.pid}/fd`).length,
    endpointProcesses: descendants(aws.pid).length,
    proxyConnections: await proxy.connections(),
    postgresConnections: await postgresConnections(lake),
    lakeObjects: objects.length,
    lakeBytes: bytes(objects),
    blobFiles: blobs.length - results.length,
    blobBytes: bytes(blobs) - bytes(results),
    uploads: (uploads.Uploads ?? []).length,
  }
}

export const lakeObjects = (lake: WholeLake) => objectsOf(lake, lake.place.bucket)

async function objectsOf({ aws }: WholeLake, Bucket: string) {
  const found: { key: string; bytes: number }[] = []
  for await (const page of paginateListObjectsV2({ client: aws.s3 }, { Bucket })) {
    for (const { Key = '', Size = 0 } of page.Contents ?? []) found.push({ key: Key, bytes: Size })
  }
  return found
}

export function filesUnder(folder: string): { readonly file: string; readonly bytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0 }))
}

const status = (pid: number | string) => readFileSync(`/proc/${pid}/status`, 'utf8')
const rssBytes = (pid: number) => Number(/^VmRSS:\s+(\d+)/m.exec(status(pid))?.[1] ?? 0) * 1024

/** Processes below this one. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status(name))?.[1] ?? 0))
    } catch {
      // it has ended in this moment
    }
  }
  const below = (of: number): number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

/** Processes of the whole machine whose environment names this folder. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((each) => /^\d+$/.test(each))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })
    .map(Number)
}

async function postgresConnections({ database }: WholeLake): Promise<number> {
  const [row] = await database.prisma.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'`
  return Number(row?.count ?? 0)
}
