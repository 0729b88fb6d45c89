import { type Logger as PinoLogger, pino } from 'pino'
import { isTracing, traceFields } from './tracing.ts'

export type Logger = PinoLogger

/**
 * Keys that are never written, wherever in a log line's object they stand. Log lines name rows by table and count, requests by
 * id and route pattern - never by content. The list is the second net below that habit, not a licence to log bodies.
 */
const REDACTED = [
  'authorization',
  'email',
  'username',
  'displayName',
  'fullName',
  'birthDate',
  'subject',
  'password',
  'secret',
  'body',
]

export interface LoggerOptions {
  readonly level: string
  /** Where lines go; default standard error, so that standard output stays for answers. */
  readonly destination?: { write(line: string): void }
  /**
   * Standard error is written to by another thread: who reads it slowly, or not at all, does not stop the service. Beyond 8 MB that
   * wait, lines are lost. Default: each line is written before the program goes on.
   */
  readonly inBackground?: true
}

const MAX_WAITING_CHARACTERS = 8 * 1024 * 1024

/** What still waits at the end of the process is written then. */
const BACKGROUND = { dest: 2, sync: false, maxLength: MAX_WAITING_CHARACTERS } as const

/** One JSON object a line, ISO times, no host name or process id noise; with the trace that it is written in, where there is one. */
export function createLogger({ level, destination, inBackground }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      ...(isTracing() ? { mixin: () => traceFields() ?? {} } : {}),
      redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination ?? pino.destination(inBackground ? BACKGROUND : { dest: 2, sync: true }),
  )
}
