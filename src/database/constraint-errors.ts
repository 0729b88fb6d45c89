import { AppError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { type ConstraintName, constraints, isConstraintName } from './constraints.ts'

/**
 * What the database says, in our words.
 *
 * The same fact arrives in three shapes: from Prisma with the driver's error in `meta`, from a transaction's commit as a bare
 * `DriverAdapterError`, from raw SQL as pg's own error. They are told apart by SQLSTATE (PostgreSQL documentation, appendix A).
 * The originals are not kept as a cause: they carry "Failing row contains (…)", which is personal data.
 */

export type ConstraintKind = 'unique' | 'foreign-key' | 'check' | 'refused' | 'not-null' | 'value'

export interface ConstraintErrorFacts {
  readonly kind: ConstraintKind
  readonly constraint?: ConstraintName | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly inUse?: boolean
  readonly sqlState: string
}

/**
 * The database refused a change. A service turns the ones it expects into an `AppError` by `constraint`; every other one is a
 * defect of ours and becomes `internal`. Its message names rules and tables, never values.
 */
export class ConstraintError extends Error {
  override readonly name: string = 'ConstraintError'
  /** `refused`: a row that may not be deleted or changed. `value`: a text or number that the column's type cannot hold. */
  readonly kind: ConstraintKind
  /** The rule; undefined for `refused`, `not-null`, `value`, and for rules that `constraints.ts` does not know. */
  readonly constraint: ConstraintName | undefined
  readonly table: string | undefined
  /** Columns of the rule, or the one that must not be NULL. */
  readonly columns: readonly string[]
  /** Of a foreign key: true when others refer to the row that was to go, false when the row referred to does not exist. */
  readonly inUse: boolean
  readonly sqlState: string

  constructor(facts: ConstraintErrorFacts) {
    const rule = facts.constraint === undefined ? undefined : constraints[facts.constraint]
    const table = facts.table ?? rule?.table
    const place = [facts.constraint, table && `table ${table}`, facts.column && `column ${facts.column}`]
    super(`the database refused a change (${[facts.kind, ...place, facts.sqlState].filter(Boolean).join(', ')})`)
    this.kind = facts.kind
    this.constraint = facts.constraint
    this.table = table
    this.columns = rule?.columns ?? (facts.column === undefined ? [] : [facts.column])
    this.inUse = facts.inUse ?? false
    this.sqlState = facts.sqlState
  }
}

/** 503 that a second attempt of the whole transaction may well cure: a deadlock, a serialization failure, a changed schema. */
export class WriteConflict extends AppError {
  override readonly name: string = 'WriteConflict'

  constructor(why = 'Other changes to the same records got in the way') {
    super('unavailable', `${why}; try again`, {
      headers: { 'Retry-After': '1' },
    })
  }
}

/**
 * 503: there is no connection, or it is lost. What was sent last may have been done all the same, unless `isOrderly`: then the
 * server has said that it ends the connection, or nothing was sent at all. The cause, if any, names the address that nobody answers at.
 */
export class ConnectionLost extends AppError {
  override readonly name: string = 'ConnectionLost'
  readonly isOrderly: boolean

  constructor(why: string, isOrderly: boolean, cause?: Error) {
    super('unavailable', `${why}; try again`, { headers: { 'Retry-After': '1' }, cause })
    this.isOrderly = isOrderly
  }
}

/**
 * 503: the server knows the user or its password no longer, or the database. Waiting does not help this process: one that is started anew
 * has the present password. The cause is the server's own sentence, which names user and address; it is for logs and the command line.
 */
export class LoginRefused extends AppError {
  override readonly name: string = 'LoginRefused'

  constructor(reason: string) {
    const headers = { 'Retry-After': '10' }
    super('unavailable', 'The database refuses the login of this program', { headers, cause: new Error(reason) })
  }
}

/** 503: a statement took longer than it may. */
export class StatementTimeout extends AppError {
  override readonly name: string = 'StatementTimeout'

  constructor() {
    super('unavailable', 'The database took too long and the request was given up; try again', {
      headers: { 'Retry-After': '1' },
    })
  }
}

interface DriverFacts {
  readonly sqlState: string
  readonly message: string
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
}

/** Adapter-pg's `MappedError`, the members that are read here. */
interface MappedError {
  readonly originalCode?: string
  readonly originalMessage?: string
  readonly constraint?: { readonly index?: string }
  readonly table?: string
  readonly column?: string
  readonly kind?: string
  readonly host?: string
  readonly port?: number
}

function mappedErrorOf(error: Error): MappedError | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    return (error.meta?.driverAdapterError as { cause?: MappedError } | undefined)?.cause
  }
  return error.name === 'DriverAdapterError' ? (error.cause as MappedError) : undefined
}

function driverFactsOf(error: Error): DriverFacts | undefined {
  const mapped = mappedErrorOf(error)
  if (mapped?.originalCode !== undefined) {
    return {
      sqlState: mapped.originalCode,
      message: mapped.originalMessage ?? '',
      constraint: mapped.constraint?.index,
      table: mapped.table,
      column: mapped.column,
    }
  }
  const { code, severity, constraint, table, column } = error as Error & Partial<Record<string, string>>
  // pg's DatabaseError; by its members, because a second copy of pg would have another class.
  if (code === undefined || severity === undefined || !/^[0-9A-Z]{5}$/.test(code)) return undefined
  return { sqlState: code, message: error.message, constraint, table, column }
}

/** The adapter passes on the name of a CHECK or trigger only inside the message, in quotes. */
function constraintOf(facts: DriverFacts): ConstraintName | undefined {
  const quoted = [...facts.message.matchAll(/"([^"]+)"/g)].map((match) => match[1] as string)
  return [facts.constraint, ...quoted].find((name): name is ConstraintName => !!name && isConstraintName(name))
}

const UNAVAILABLE_STATES: Readonly<Record<string, string>> = {
  '55P03': 'Another change holds the record for too long',
  '25P03': 'The database closed a transaction that was idle for too long',
  '25P04': 'The database closed a transaction that took too long',
  '25006': 'The database is read-only at the moment',
}

/** Class 53: each is mended elsewhere. */
const ROOM_STATES: Readonly<Record<string, string>> = {
  '53100': 'The disk of the database is full',
  '53200': 'The database is out of memory',
  '53300': 'The database has no connection to spare',
}

/** The connection is at its end, or never was one. */
const LOST_STATES: Readonly<Record<string, string>> = {
  '57P01': 'The database is shutting down',
  '57P02': 'The database is shutting down',
  '57P03': 'The database is starting up or shutting down',
  '57P05': 'The database closed an idle connection',
}
/** Of the login alone: class 28, and a database that is not there. */
const LOGIN_STATES = new Set(['28000', '28P01', '3D000'])
/** With these the server refuses what it has not begun, or takes back what it has. `crash_shutdown` says nothing of the kind. */
const ORDERLY_STATES = new Set(['57P01', '57P03', '57P05'])

/**
 * A named statement was planned before its columns got other types. It has done nothing, and will not on this connection. The text
 * is the server's, who translates it where `lc_messages` is not English; all else with this code is a defect of ours.
 */
export function isOutdatedPlan(error: unknown): boolean {
  const { code, message, routine } = error as { readonly [name in 'code' | 'message' | 'routine']?: string }
  if (code !== '0A000') return false
  return routine === 'RevalidateCachedQuery' || message === 'cached plan must not change result type'
}

function unavailable(why: string): AppError {
  return new AppError('unavailable', `${why}; try again`, { headers: { 'Retry-After': '1' } })
}

function fromDriver(facts: DriverFacts): Error | undefined {
  const { sqlState, message, table, column } = facts
  const constraint = constraintOf(facts)
  const known = { sqlState, table, column, constraint }
  switch (sqlState) {
    case '23505':
      return new ConstraintError({ ...known, kind: 'unique' })
    case '23514':
      return new ConstraintError({ ...known, kind: 'check' })
    // ON DELETE RESTRICT has a code of its own from PostgreSQL 18 on; before, only the text tells the two ways apart.
    case '23001':
      return new ConstraintError({ ...known, kind: 'foreign-key', inUse: true })
    case '23503':
      return new ConstraintError({ ...known, kind: 'foreign-key', inUse: message.startsWith('update or delete') })
    case '23502': {
      const [nullColumn, relation] = [...message.matchAll(/"([^"]+)"/g)].map((match) => match[1])
      return new ConstraintError({ sqlState, kind: 'not-null', table: table ?? relation, column: column ?? nullColumn })
    }
    case '55000':
      return new ConstraintError({ sqlState, kind: 'refused', table: table ?? /"([^"]+)"/.exec(message)?.[1] })
    case '40001':
    case '40P01':
      return new WriteConflict()
    case '57014':
      return new StatementTimeout()
  }
  if (LOGIN_STATES.has(sqlState)) return new LoginRefused(message)
  if (LOST_STATES[sqlState]) return new ConnectionLost(LOST_STATES[sqlState], ORDERLY_STATES.has(sqlState))
  if (UNAVAILABLE_STATES[sqlState]) return unavailable(UNAVAILABLE_STATES[sqlState])
  if (sqlState.startsWith('53'))
    return unavailable(ROOM_STATES[sqlState] ?? 'The database has no more room for this request')
  if (sqlState.startsWith('08')) return new ConnectionLost('The connection to the database was lost', false)
  // Class 22, data exceptions, quote the value in their text.
  if (sqlState.startsWith('22')) return new ConstraintError({ sqlState, kind: 'value', table, column })
  return undefined
}

const LOST_PRISMA = new Set(['P1001', 'P1002', 'P1011', 'P1017'])
const AWAY_PRISMA = new Set(['P1008', 'P2024', 'P2037'])
/** Adapter-pg's kinds; of a raw query Prisma wraps them as P2010, whatever they are. */
const LOST_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed'])
const AWAY_KINDS = new Set(['SocketTimeout', 'TooManyConnections'])
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])
const LOST_SOCKET = new Set([...NOT_REACHED, 'ECONNRESET', 'ETIMEDOUT', 'EPIPE'])
/** pg and pg-pool give these errors no code. Of the second kind nothing was sent. */
const LOST_TEXT = /^Connection terminated/
const NOT_SENT_TEXT = /^Client (has encountered a connection error|was closed) and is not queryable/
const AWAY_TEXT = /^(Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end)/

/** As the driver itself says it. */
function notReached(error: Error): Error | undefined {
  const { host, port } = mappedErrorOf(error) ?? {}
  return host === undefined ? undefined : new Error(`connect ECONNREFUSED ${host}:${port}`)
}

function fromConnection(error: Error): AppError | undefined {
  const { code, message } = error as Error & { readonly code?: unknown }
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    if (error.code === 'P2034') return new WriteConflict()
    if (error.code === 'P2025') return new AppError('not-found', 'The record to change does not exist')
    // Also told when the code inside the transaction took too long; both pass when the load does.
    if (error.code === 'P2028') return unavailable('The transaction did not start or end in time')
  }
  const why = 'The database cannot be reached'
  const kind = mappedErrorOf(error)?.kind ?? ''
  const told = typeof code === 'string' ? code : ''
  if (NOT_REACHED.has(told)) return new ConnectionLost(why, true, new Error(message || told))
  if (NOT_SENT_TEXT.test(message)) return new ConnectionLost(why, true)
  if (kind === 'DatabaseNotReachable') return new ConnectionLost(why, false, notReached(error))
  const isLost = LOST_PRISMA.has(told) || LOST_KINDS.has(kind) || LOST_SOCKET.has(told) || LOST_TEXT.test(message)
  if (isLost) return new ConnectionLost(why, false)
  const isAway = AWAY_PRISMA.has(told) || AWAY_KINDS.has(kind) || AWAY_TEXT.test(message)
  return isAway ? unavailable(why) : undefined
}

/**
 * `ConstraintError` for a change that the database refuses, `AppError` for one that it cannot make now (`unavailable`,
 * `WriteConflict`) or whose record is not there (`not-found`). Everything else comes back as it is, so it is safe to hand over
 * any error, twice too.
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError || error instanceof ConstraintError) return error
  if (isOutdatedPlan(error)) return new WriteConflict('The tables have just been changed')
  const facts = driverFactsOf(error)
  return (facts && fromDriver(facts)) ?? fromConnection(error) ?? error
}
