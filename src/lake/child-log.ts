import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from '../logger.ts'

const LONGEST_LINE = 16_384
const LONGEST_REPORT = 262_144
/** Levels of pino's lines, which a child writes as numbers. */
const LEVELS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'error' } as const

/**
 * Passes what a child says on its standard error on to our log, with facts that tell whose it is: its own log lines at their level,
 * its progress (`snapshot --json`) where something has changed, anything else as a line of text.
 */
export function passOn(stderr: Readable, logger: Logger, facts: Readonly<Record<string, unknown>>): void {
  createInterface({ input: stderr }).on('line', (line) => {
    const said = parsed(line)
    if (said === undefined) {
      if (line.trim() !== '')
        logger.info({ ...facts, line: line.slice(0, LONGEST_LINE) }, 'said by a command of the lake')
      return
    }
    const { level, msg, time: _, kind, ...rest } = said
    if (kind === undefined) {
      const name = LEVELS[level as keyof typeof LEVELS] ?? 'info'
      logger[name]({ ...rest, ...facts }, String(msg ?? ''))
    } else if (!(kind === 'table' && rest.done !== true) && kind !== 'tables') {
      logger.info({ ...rest, ...facts, event: kind }, 'a snapshot goes on')
    }
  })
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Reads a report that a command prints as JSON; undefined when it printed none, or one of empty lists only. */
export async function readReport(stdout: Readable): Promise<Record<string, unknown> | undefined> {
  let text = ''
  try {
    for await (const chunk of stdout.setEncoding('utf8')) {
      if (text.length < LONGEST_REPORT) text += chunk
    }
  } catch {
    return undefined
  }
  const report = parsed(text.trim())
  if (report === undefined) return undefined
  return Object.values(report).every((value) => Array.isArray(value) && value.length === 0) ? undefined : report
}
