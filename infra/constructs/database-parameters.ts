/**
 * What the server is set to, beside what RDS sets by itself. Time limits of statements, locks and idle transactions belong to the
 * program, which sets them on each connection: the server has them for everybody else, so that nobody who looks something up
 * by hand holds locks or dead rows for hours.
 */
export const DATABASE_PARAMETERS: Readonly<Record<string, string>> = {
  // Nobody without TLS; the program checks the certificate as well (verify-full).
  'rds.force_ssl': '1',
  ssl_min_protocol_version: 'TLSv1.2',
  password_encryption: 'scram-sha-256',
  'rds.accepted_password_auth_method': 'scram',

  // A task whose machine is gone takes its locks along within a minute: 30 s of silence, then 3 questions 10 s apart.
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  // A statement whose client has left ends.
  client_connection_check_interval: '10000',
  // The snapshot, which reads for up to LAKE_MAX_SNAPSHOT_AGE inside one transaction, lifts both for itself (SET LOCAL), as
  // migrations do with the first.
  idle_in_transaction_session_timeout: '600000',
  statement_timeout: '0',

  // What the log may hold: the text of slow statements with $1 in place of values, never a value. A failed statement is not
  // written down (it may be `CREATE ROLE … PASSWORD`), and of an error only its one line: DETAIL shows the key that was there
  // already, CONTEXT the line of a COPY.
  log_min_duration_statement: '2000',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  log_lock_waits: '1',
  log_temp_files: '65536',
  log_autovacuum_min_duration: '10000',

  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'top',
  track_io_timing: '1',
}
