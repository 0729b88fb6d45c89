import { LakeProblem } from '../lake-problem.ts'

const SOCKET_CODES = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'])
const BROKEN = /^Connection (terminated|ended)|Client has encountered a connection error|^Query read timeout/i

/**
 * What an error of the connection that reads means for the snapshot, by the SQLSTATE classes and codes of the PostgreSQL documentation,
 * appendix A. Errors of other kinds come back as they are.
 */
export function sourceProblem(error: unknown, table?: string): unknown {
  if (error instanceof LakeProblem) return error
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const facts = table === undefined ? {} : { table }
  if (code === '40001') {
    return new LakeProblem(
      'snapshot_conflict',
      'The standby cancelled the snapshot because of a conflict with recovery; set hot_standby_feedback or raise ' +
        'max_standby_streaming_delay',
      facts,
      error,
    )
  }
  if (code === '55P03') {
    return new LakeProblem(
      'migration_running',
      'Somebody keeps an exported table locked exclusively, as a migration does; start the snapshot after it',
      facts,
      error,
    )
  }
  if (/^(08|57P)/.test(code) || SOCKET_CODES.has(code) || BROKEN.test(message)) {
    const place = table === undefined ? '' : ` in ${table}`
    return new LakeProblem('connection_lost', `The connection to the database broke${place}`, facts, error)
  }
  if (/^[0-9A-Z]{5}$/.test(code)) {
    // The server's own text may quote a value; its code says enough.
    const what = table === undefined ? 'a query of the snapshot' : `the COPY of ${table}`
    return new LakeProblem('copy_failed', `Postgres ended ${what} with SQLSTATE ${code}`, { ...facts, sqlState: code })
  }
  return error
}
