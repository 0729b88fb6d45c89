import { type Logger as PinoLogger, pino } from 'pino'
import { UsageError } from './errors.ts'
import { LOG_LEVELS } from './setting-kinds.ts'
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
}

const MAX_WAITING_CHARACTERS = 8 * 1024 * 1024

export interface OutputOptions {
  /** Standard output or standard error. */
  readonly fd: 1 | 2
  /**
   * Written by another thread, what still waits at the end of the process then: who reads slowly, or not at all, does not stop the
   * program. Else each line is written before the program goes on.
   */
  readonly inBackground: boolean
  /** Beyond, lines are lost; default 8 MB. */
  readonly maxWaitingCharacters?: number
}

/** Lines to a stream of the process. Where they cannot be written (a full disk, a reader that is gone) they are lost and the program goes on. */
export function openOutput({ fd, inBackground, maxWaitingCharacters = MAX_WAITING_CHARACTERS }: OutputOptions) {
  const output = pino.destination({ dest: fd, sync: !inBackground, maxLength: maxWaitingCharacters })
  const flush = output.flushSync.bind(output)
  let isBroken = false
  // Without a listener an error would end the process, and at its end what waits is tried for as long as it takes: forever.
  output.on('error', () => {
    isBroken = true
  })
  output.on('write', () => {
    isBroken = false
  })
  output.flushSync = () => {
    if (!isBroken) flush()
  }
  return output
}

const EXIT_PATIENCE_MS = 1_000

/**
 * Ends the process when the lines that wait are written; after the patience without them. `process.exit()` alone would break off what
 * another thread is writing, and wait as long as it takes for who reads the rest.
 */
export function exitWhenWritten(
  output: ReturnType<typeof openOutput>,
  exitCode: number,
  patienceMs = EXIT_PATIENCE_MS,
): void {
  const exit = () => process.exit(exitCode)
  output.once('drain', exit).once('error', exit)
  setTimeout(() => {
    output.flushSync = () => undefined
    exit()
  }, patienceMs)
  // Also without a line there is a drain after it.
  output.write('')
}

/** One JSON object a line, ISO times, no host name or process id noise; with the trace that it is written in, where there is one. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  if (!LOG_LEVELS.some((each) => each === level))
    throw new UsageError(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      ...(isTracing() ? { mixin: () => traceFields() ?? {} } : {}),
      redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination ?? openOutput({ fd: 2, inBackground: false }),
  )
}
