import { interrupted } from './command.ts'

/** One fact that was looked at. */
interface Check {
  readonly what: string
  readonly passed: boolean
  /** What was found, with its unit. */
  readonly found: string
}

/** What was checked, in the order in which it was; printed at the end, and at once where something is wrong. */
export class Checks {
  readonly #all: Check[] = []

  note(what: string, passed: boolean, found: string | number = ''): void {
    const check = { what, passed, found: String(found) }
    this.#all.push(check)
    process.stderr.write(`${line(check)}\n`)
  }

  /** What `work` throws is a check that failed; the others go on, unless the script was interrupted. */
  async guard(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      interrupted.throwIfAborted()
      this.note(what, false, (error as Error).message.trim())
    }
  }

  get failures(): number {
    return this.#all.filter(({ passed }) => !passed).length
  }

  table(): string {
    const width = Math.max(...this.#all.map(({ what }) => what.length))
    return this.#all
      .map((check) => line({ ...check, found: check.found.split('\n')[0]?.slice(0, 150) ?? '' }, width))
      .join('\n')
  }
}

const line = ({ what, passed, found }: Check, width = 0) =>
  `${passed ? 'ok  ' : 'FAIL'}  ${what.padEnd(width)}  ${found}`.trimEnd()
