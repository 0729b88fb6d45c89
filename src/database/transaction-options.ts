export type IsolationLevel = 'ReadCommitted' | 'RepeatableRead' | 'Serializable'

export interface TransactionOptions {
  /** Default `ReadCommitted`. */
  readonly isolation?: IsolationLevel
  /** How long the work may take before it is rolled back; default 15 s. A statement that runs is not cut by it. */
  readonly timeoutMs?: number
  /** How long to wait for a free connection; default 5 s, and as long as the pool waits for a database that is away. */
  readonly maxWaitMs?: number
  /** How often the work is tried when a deadlock, a serialization failure or a lost connection undoes it; default 3. */
  readonly attempts?: number
}

export interface RawTransactionOptions {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
}

/** As BEGIN names them. */
export const SQL_ISOLATION: Readonly<Record<IsolationLevel, string>> = {
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}
