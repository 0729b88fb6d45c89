import { type Logger as PinoLogger, pino } from 'pino'

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
}

/** One JSON object a line, ISO times, no host name or process id noise. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  )
}
