import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Manifest } from '../../../src/lake/manifest.ts'
import type { Finding, PlannedChanges, PublishedSnapshot, Publisher } from '../../../src/lake/publication.ts'

export type PublisherCall = 'crawlerReady' | 'register' | 'publishViews' | 'unregister' | 'findings'

/**
 * A catalogue in a folder, so that several processes share it and one may be killed: a file for each registered snapshot, and one
 * that says which snapshots the views show. Records calls, and runs what a test wants to happen before one.
 */
export class RecordingPublisher implements Publisher {
  readonly calls: string[] = []
  readonly #dir: string
  readonly #before = new Map<PublisherCall, () => Promise<void>>()

  constructor(dir: string) {
    this.#dir = dir
    mkdirSync(path.join(dir, 'partitions'), { recursive: true })
  }

  /** Runs `work` at the start of the next call only. */
  beforeNext(call: PublisherCall, work: () => Promise<void>): void {
    this.#before.set(call, work)
  }

  async #enter(call: PublisherCall, detail = ''): Promise<void> {
    this.calls.push(detail === '' ? call : `${call} ${detail}`)
    const work = this.#before.get(call)
    this.#before.delete(call)
    await work?.()
  }

  async crawlerReady(): Promise<void> {
    await this.#enter('crawlerReady')
  }

  async register({ snapshot_id: id }: Manifest): Promise<void> {
    await this.#enter('register', id)
    writeFileSync(path.join(this.#dir, 'partitions', id), '')
  }

  async publishViews(live: readonly PublishedSnapshot[]): Promise<void> {
    await this.#enter('publishViews', live.map((snapshot) => snapshot.snapshotId).join(' '))
    writeFileSync(path.join(this.#dir, 'views'), JSON.stringify(live.map((snapshot) => snapshot.snapshotId)))
  }

  async unregister({ snapshot_id: id }: Manifest): Promise<void> {
    await this.#enter('unregister', id)
    rmSync(path.join(this.#dir, 'partitions', id), { force: true })
  }

  async findings(live: readonly Manifest[]): Promise<Finding[]> {
    await this.#enter('findings')
    const expected = live.map((manifest) => manifest.snapshot_id)
    const extra = this.registered.filter((id) => !expected.includes(id))
    return [
      ...extra.map((id) => ({ code: 'extra_partition' as const, message: `a partition of ${id}`, snapshotId: id })),
      ...(this.views.join() === expected.join() ? [] : [{ code: 'view_drift' as const, message: 'views show others' }]),
    ]
  }

  async plannedChanges(): Promise<PlannedChanges> {
    return { changes: [], crawler: [], drifts: [] }
  }

  get registered(): string[] {
    return readdirSync(path.join(this.#dir, 'partitions')).sort()
  }

  /** Ids that the views list, oldest first; the last one is the latest. */
  get views(): string[] {
    const file = path.join(this.#dir, 'views')
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []
  }
}
