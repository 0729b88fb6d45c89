import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemContext } from '../../../src/caller.ts'
import { LakeHolds } from '../../../src/lake/lake-holds.ts'
import type { Finding } from '../../../src/lake/publication.ts'
import { recoverSnapshots } from '../../../src/lake/snapshot/recover.ts'
import { retainSnapshots } from '../../../src/lake/snapshot/retention.ts'
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { verifySnapshots } from '../../../src/lake/snapshot/verify.ts'
import type { S3Proxy } from '../snapshot/s3-proxy.ts'
import type { Dice } from './dice.ts'
import type { Ended, WholeLake } from './whole-lake.ts'

type Command = 'snapshot' | 'recover' | 'retention'

/** How often a command is killed. */
const KILLED: Readonly<Record<Command, number>> = { snapshot: 0.4, recover: 0.25, retention: 0.25 }
const HOLD_MS = 3_600_000

/** What an operator's schedule does over months, in minutes: snapshots, recovery, retention and holds, one after another. */
export class Soak {
  /** Ids, in the order in which they were seen to be published. */
  readonly published = new Set<string>()
  readonly runs: Record<Command, number> = { snapshot: 0, recover: 0, retention: 0 }
  readonly killed: Record<Command, number> = { snapshot: 0, recover: 0, retention: 0 }
  /** Published by another process than the one that took them. */
  recovered = 0
  holdsTaken = 0
  /** Of all published snapshots. */
  rows = 0
  /** Before the end, when all go. */
  retiredBefore = 0
  /** Runs that nobody killed and that ended badly. */
  readonly unexpected: string[] = []
  readonly #lake: WholeLake
  readonly #dice: Dice
  readonly #faults: S3Proxy['decide']
  readonly #holds: LakeHolds
  #held: { readonly id: string; readonly until: number }[] = []
  #rounds = 0
  /** Requests of the last run of each command that came to its end. */
  readonly #usual: Record<Command, number> = { snapshot: 200, recover: 20, retention: 20 }

  constructor(lake: WholeLake, dice: Dice, faults: S3Proxy['decide']) {
    this.#lake = lake
    this.#dice = dice
    this.#faults = faults
    this.#holds = new LakeHolds(lake.database)
  }

  /** The first snapshot, in peace. */
  async first(): Promise<void> {
    await runSnapshot(this.#lake.inProcess())
    await this.#newlyPublished()
  }

  /**
   * One snapshot, perhaps killed, and now and then what else happens to a lake.
   *
   * @param check of each snapshot that has been published meanwhile, before retention may take it away.
   */
  async round(check: (id: string) => Promise<void>): Promise<void> {
    this.#rounds++
    const ended = await this.#command('snapshot')
    if (ended.signal !== null && this.#dice.chance('recover', 0.5)) await this.#command('recover')
    const news = await this.#newlyPublished()
    if (ended.signal !== null) this.recovered += news.length
    else this.recovered += Math.max(0, news.length - 1)
    for (const id of news) await check(id)
    if (this.#dice.chance('hold', 0.2)) await this.#hold()
    for (const one of this.#held.filter(({ until }) => until <= this.#rounds)) await this.#release(one)
    if (this.#dice.chance('retention', 0.4)) await this.#command('retention')
  }

  /** What dead processes left is finished or removed, nothing is held any more. */
  async settle(): Promise<void> {
    this.#lake.proxy.decide = () => 'pass'
    await recoverSnapshots(this.#lake.inProcess())
    await this.#newlyPublished()
    for (const one of [...this.#held]) await this.#release(one)
  }

  /** All but the newest go, at once. */
  async retireAll(): Promise<void> {
    this.retiredBefore = (await this.#lake.manifests('retired')).size
    const now = { keepAllMs: 0, dailyDays: 1, retireGraceMs: 0 }
    for (let i = 0; i < 2; i++) await retainSnapshots(this.#lake.inProcess(now))
  }

  /** Everything that is wrong with this snapshot, or with all of them, and with the lake around. */
  async findings(id?: string): Promise<readonly Finding[]> {
    const which = id === undefined ? { all: true } : { id }
    return (await verifySnapshots(this.#lake.inProcess(), { ...which, deep: true })).findings
  }

  async #command(name: Command): Promise<Ended> {
    this.runs[name]++
    const dies = this.#dice.chance(`${name} dies`, KILLED[name])
    // of the requests of a usual run; the moment after it is chance as well, for what is done without a request
    const fatal = dies ? this.#dice.whole(`${name} moment`, this.#usual[name] + 1) : Number.POSITIVE_INFINITY
    const later = this.#dice.whole(`${name} later`, 40)
    let requests = 0
    const command = this.#lake.start([name])
    const kill = () => sleep(later).then(() => command.child.kill('SIGKILL'))
    if (fatal === 0) void kill()
    this.#lake.proxy.decide = (request: IncomingMessage) => {
      if (++requests === fatal) void kill()
      return this.#faults(request)
    }
    const ended = await command.ended
    this.#lake.proxy.decide = this.#faults
    if (ended.signal === 'SIGKILL') this.killed[name]++
    else {
      this.#usual[name] = requests
      if (ended.code !== 0) this.unexpected.push(`${name} ended with ${ended.code}: ${ended.stderr.slice(-2_000)}`)
    }
    return ended
  }

  async #newlyPublished(): Promise<string[]> {
    const manifests = await this.#lake.manifests('published', 'retiring', 'retired')
    const news = [...manifests.keys()].filter((id) => !this.published.has(id))
    for (const id of news) {
      this.published.add(id)
      this.rows += manifests.get(id)?.totals.rows ?? 0
    }
    return news
  }

  async #hold(): Promise<void> {
    const published = [...(await this.#lake.manifests('published')).keys()]
    const snapshotId = published[this.#dice.whole('held', published.length)]
    if (snapshotId === undefined) return
    const expiresAt = new Date(Date.now() + HOLD_MS)
    const hold = { holder: 'soak', reason: 'reads it', expiresAt }
    const { id } = await this.#holds.add(snapshotId, hold, systemContext('soak', 'soak'))
    this.holdsTaken++
    this.#held.push({ id, until: this.#rounds + 1 + this.#dice.whole('release', 8) })
  }

  async #release(one: { readonly id: string }): Promise<void> {
    await this.#holds.release(one.id, systemContext('soak', 'soak'))
    this.#held = this.#held.filter((each) => each !== one)
  }
}
