import type { ConnectionOptions } from 'node:tls'
import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'

/** How a program on the JVM reaches the database that a connection of ours reaches. */
export interface JdbcAddress {
  /** Without user and password. */
  readonly url: string
  readonly user: string
  /** Empty where the server asks for none. */
  readonly password: string
}

/** Certificates as Java trusts them, where nobody names a file of them. */
const JAVA_TRUST = 'org.postgresql.ssl.DefaultJavaSSLFactory'

/**
 * The address in the words of the PostgreSQL JDBC driver ("Connection Parameters" of its documentation), made of what a connection
 * was really opened with.
 *
 * @param sourceUrl that it was opened by: names the file of certificates.
 * @param applicationName whose connections these are, as pg_stat_activity shows it.
 * @throws LakeProblem `spark_not_started` for a Unix socket, which the JVM cannot open.
 */
export function jdbcAddress(client: pg.Client, sourceUrl: string, applicationName: string): JdbcAddress {
  const {
    database = '',
    host,
    password,
    port,
    ssl,
    user = '',
  } = client as pg.Client & { ssl?: boolean | ConnectionOptions }
  if (host.startsWith('/')) {
    throw new LakeProblem(
      'spark_not_started',
      'DATABASE_URL leads through a Unix socket, and a Spark job needs a host and a port',
    )
  }
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const parameters = new URLSearchParams({ ApplicationName: applicationName, ...security(ssl, sourceUrl) })
  return {
    url: `jdbc:postgresql://${place}/${encodeURIComponent(database)}?${parameters}`,
    user,
    password: typeof password === 'string' ? password : '',
  }
}

function security(ssl: boolean | ConnectionOptions | undefined, sourceUrl: string): Record<string, string> {
  if (!ssl) return { sslmode: 'disable' }
  if (typeof ssl === 'object' && ssl.rejectUnauthorized === false) return { sslmode: 'require' }
  const file = URL.canParse(sourceUrl) ? new URL(sourceUrl).searchParams.get('sslrootcert') : null
  // Of sslmode=verify-ca: the certificate counts, whatever host it names.
  const sslmode = typeof ssl === 'object' && ssl.checkServerIdentity ? 'verify-ca' : 'verify-full'
  return { sslmode, ...(file === null ? { sslfactory: JAVA_TRUST } : { sslrootcert: file }) }
}
