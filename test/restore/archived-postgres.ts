import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/local/postgres.ts'

const SETTINGS = ['fsync=off', 'max_connections=60', 'shared_buffers=64MB']

/** A database that archives its log as it goes, and can be restored from a base copy to any instant since: what RDS does for its own. */
export class ArchivedPostgres {
  readonly #dir: string
  readonly #running: EmbeddedPostgres

  private constructor(dir: string, running: EmbeddedPostgres) {
    this.#dir = dir
    this.#running = running
  }

  static async start(dir: string): Promise<ArchivedPostgres> {
    const archive = path.join(dir, 'archive')
    mkdirSync(archive, { recursive: true })
    const archiving = ['archive_mode=on', `archive_command=test ! -f ${archive}/%f && cp %p ${archive}/%f`]
    const running = await startEmbeddedPostgres({
      dir: path.join(dir, 'first'),
      settings: [...SETTINGS, ...archiving],
    })
    return new ArchivedPostgres(dir, running)
  }

  get url(): string {
    return this.#running.url
  }

  /** A copy of the files of the running server; without its log, which is in the archive. */
  async takeBaseCopy(): Promise<void> {
    const from = path.join(this.#dir, 'first')
    const to = path.join(this.#dir, 'restored')
    mkdirSync(to, { mode: 0o700 })
    const client = new pg.Client(this.url)
    await client.connect()
    try {
      await client.query(`SELECT pg_backup_start('drill', true)`)
      const left = ['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot'].map((name) =>
        path.join(from, 'data', name),
      )
      cpSync(path.join(from, 'data'), path.join(to, 'data'), {
        recursive: true,
        preserveTimestamps: true,
        filter: (source) => !left.some((name) => source === name) && existsSync(source),
      })
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(true)')
      writeFileSync(path.join(to, 'data', 'backup_label'), rows[0]?.labelfile ?? '')
    } finally {
      await client.end()
    }
    for (const name of ['pg_wal', 'pg_wal/archive_status', 'pg_replslot'])
      mkdirSync(path.join(to, 'data', name), { mode: 0o700 })
    cpSync(path.join(from, 'password'), path.join(to, 'password'))
  }

  /** Ends the first server, which archives the rest of its log, and starts another one that stands as the first stood at that instant. */
  async restore(instant: string): Promise<EmbeddedPostgres> {
    await this.stop()
    const restored = path.join(this.#dir, 'restored')
    writeFileSync(path.join(restored, 'data', 'recovery.signal'), '')
    const recovery = [
      `restore_command=cp ${path.join(this.#dir, 'archive')}/%f %p`,
      `recovery_target_time=${instant}`,
      'recovery_target_action=promote',
    ]
    return startEmbeddedPostgres({ dir: restored, settings: [...SETTINGS, ...recovery] })
  }

  stop(): Promise<void> {
    return this.#running.stop()
  }
}
