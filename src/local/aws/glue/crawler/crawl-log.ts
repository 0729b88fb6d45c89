import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Lines of one crawl that are kept; further ones are counted. */
const MAX_LINES = 1000
const MAX_FILE_BYTES = 1024 * 1024
const NAMED_IN_MESSAGE = 5

/** What one crawl has to say: its progress, and everything that it left out or changed in meaning. */
export class CrawlLog {
  readonly #lines: string[] = []
  #dropped = 0
  readonly #warnings: string[] = []
  #warningCount = 0
  readonly #crawlId: string

  constructor(crawlId: string) {
    this.#crawlId = crawlId
  }

  info(text: string): void {
    this.#line('INFO', text)
  }

  warn(text: string): void {
    this.#line('WARN', text)
    this.#warningCount += 1
    if (this.#warnings.length < NAMED_IN_MESSAGE) this.#warnings.push(text)
  }

  error(text: string): void {
    this.#line('ERROR', text)
  }

  get warningCount(): number {
    return this.#warningCount
  }

  /** The first warnings in one sentence, for whoever reads `LastCrawl` only; undefined when there was none. */
  get summary(): string | undefined {
    if (this.#warningCount === 0) return undefined
    const more = this.#warningCount - this.#warnings.length
    return `${this.#warnings.join('; ')}${more > 0 ? `; and ${more} more, see the crawl's log` : ''}`
  }

  /** Appends the lines to the crawler's log file. The file before the last 1 MiB is kept beside it as `.1`. */
  async save(path: string): Promise<void> {
    if (this.#dropped > 0) this.#lines.push(`[${this.#crawlId}] WARN : ${this.#dropped} further lines were left out`)
    await mkdir(dirname(path), { recursive: true })
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    )
    if (size > MAX_FILE_BYTES) await rename(path, `${path}.1`)
    await appendFile(path, this.#lines.map((line) => `${line}\n`).join(''))
  }

  #line(level: string, text: string): void {
    if (this.#lines.length < MAX_LINES) {
      this.#lines.push(`[${this.#crawlId}] ${new Date().toISOString()} ${level} : ${text}`)
    } else {
      this.#dropped += 1
    }
  }
}
