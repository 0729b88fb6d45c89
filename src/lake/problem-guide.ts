import type { LakeProblemCode } from './lake-problem.ts'

/** What an operator needs to know of a code: shown by the command line and the API, and a table in docs/snapshots.md. */
export interface ProblemGuide {
  /** What happened, as a sentence that holds for every case. */
  readonly what: string
  /** What to do next. */
  readonly next: string
  /** May the next run succeed although nobody has done anything? A scheduled snapshot is then tried again. */
  readonly passes: boolean
}

const passing = (what: string, next: string): ProblemGuide => ({ what, next, passes: true })
const lasting = (what: string, next: string): ProblemGuide => ({ what, next, passes: false })

export const PROBLEM_GUIDE: Readonly<Record<LakeProblemCode, ProblemGuide>> = {
  not_started: passing(
    'No process took the snapshot that was requested.',
    'Look at the log for why its process did not start, or at why its task of ECS stopped; then request a new one.',
  ),
  lease_taken: passing(
    'Another process is writing the lake.',
    'Wait until it ends; "rocketgames snapshots" shows what runs.',
  ),
  contract_breaking: lasting(
    'The database differs from the contract in a way that would break readers. Nothing was read.',
    'Apply the patch that the message gives to src/lake/datasets.ts, or undo the migration; then take a new snapshot.',
  ),
  pooler_in_transaction_mode: lasting(
    'DATABASE_URL leads through a pooler that lends connections to others between transactions.',
    'Let DATABASE_URL lead straight to the server, or use a pooler in session mode.',
  ),
  rds_proxy: lasting(
    'DATABASE_URL leads through RDS Proxy, which cannot hold a snapshot on one connection.',
    'Let DATABASE_URL name the instance or the cluster itself.',
  ),
  load_balanced_endpoint: lasting(
    'Connections of DATABASE_URL reach different servers, and a snapshot is local to one.',
    'Let DATABASE_URL name one instance, not a reader endpoint that balances load.',
  ),
  standby_not_ready: lasting(
    'The standby would cancel a long snapshot for the sake of its recovery.',
    'Set hot_standby_feedback = on or raise max_standby_streaming_delay on the standby, or read from the primary.',
  ),
  server_encoding: lasting('The database is not encoded in UTF8.', 'Move it to a database with the encoding UTF8.'),
  migration_running: passing(
    'A migration of the database is under way.',
    'Nothing: take a snapshot after it. When no migration runs, look for a session that holds its lock.',
  ),
  snapshot_expired: lasting(
    'Reading took longer than LAKE_MAX_SNAPSHOT_AGE.',
    'Look at rows/s and the time of each phase; raise LAKE_MAX_SNAPSHOT_AGE only if the database may hold back vacuum that long.',
  ),
  snapshot_conflict: passing(
    'The standby cancelled the snapshot because of a conflict with recovery.',
    'Set hot_standby_feedback = on, or raise max_standby_streaming_delay on the standby.',
  ),
  preempted_by_migration: passing(
    'Somebody waited for a lock on an exported table, and the snapshot made way.',
    'Nothing: take a snapshot after the migration.',
  ),
  connection_lost: passing(
    'The connection to the database broke, or it could not be reached.',
    'Take a new snapshot; if it happens again, look at the log of the database and at time limits between it and here.',
  ),
  copy_failed: lasting(
    'Postgres ended the reading of a table with an error.',
    'Look up the SQLSTATE of the message in the log of the database, which names the statement.',
  ),
  reader_failed: passing(
    'A worker thread that read a part of a table ended before its work was done.',
    'Look at the log for why, mostly memory; lower LAKE_PARTS_IN_FLIGHT or give the process more, then take a new snapshot.',
  ),
  spark_not_started: lasting(
    'The Spark job that reads the rows could not be started. Nothing was read.',
    'The message says what is missing: Java 17 and Python here, the job of LAKE_SPARK_JOB or the right to start it in AWS Glue.',
  ),
  spark_busy: passing(
    'AWS Glue runs as many runs of the Spark job as it may.',
    'Wait until they end, or raise the greatest number of concurrent runs of the job.',
  ),
  spark_failed: passing(
    'The Spark job ended before its work was done.',
    'Look at the message and at the log of the job, mostly for memory or a lost executor; then take a new snapshot.',
  ),
  report_invalid: lasting(
    'The report of the Spark job is not about what it was told to do. Nothing was committed.',
    'Let the job run the files of the same release as this program; otherwise a defect: keep the message and the log, and report it.',
  ),
  count_mismatch: lasting(
    'Postgres, encoder and files count different rows. Nothing was committed.',
    'A defect: keep the message and the log, and report it. Nothing wrong can be read.',
  ),
  unrepresentable_value: lasting(
    'A value of a row cannot be held by the lake: for example a time of infinity.',
    'Correct the row that the message names by its key, or let the column turn such values into NULL in src/lake/datasets.ts.',
  ),
  null_in_not_null: lasting(
    'A column that must not be NULL has one.',
    'Correct the row that the message names by its key, or declare the column nullable in src/lake/datasets.ts.',
  ),
  part_limit: lasting(
    'A file would need more parts than S3 allows.',
    'Raise LAKE_PART_BYTES or lower LAKE_FILE_TARGET_BYTES.',
  ),
  spool_full: lasting(
    'The disk below LAKE_SPOOL_DIR is full.',
    'Make room there: while S3 is slow, the files of a whole snapshot wait there. Or unset LAKE_SPOOL_DIR, which needs no disk.',
  ),
  spool_unusable: lasting(
    'Nothing can be written below LAKE_SPOOL_DIR.',
    'Let the folder exist and belong to the user of the service, or unset LAKE_SPOOL_DIR.',
  ),
  footer_invalid: lasting(
    'The footer of a file that was just written cannot be read back. Nothing was committed.',
    'A defect: keep the message and the log, and report it. Nothing wrong can be read.',
  ),
  storage_failed: passing(
    'S3 did not do what it was asked, after all repeats.',
    'Look at the operation and the code of AWS in the message, and at the health of S3; then take a new snapshot.',
  ),
  storage_denied: lasting(
    'S3 or KMS refused access.',
    'Give the role what the message names: read, write and abort below lake/ and lake-meta/, and use of LAKE_KMS_KEY.',
  ),
  object_mismatch: lasting(
    'An object in S3 is not the file that was uploaded.',
    'Find out who else writes below lake/; "rocketgames verify --all" shows more. The snapshot was rolled back if it was not committed.',
  ),
  manifest_conflict: lasting(
    'Another manifest than the prepared one lies under the id of the snapshot.',
    'Compare both by hand before anything else, and find out who writes below lake-meta/.',
  ),
  pointer_conflict: passing(
    'CURRENT.json was replaced by somebody else again and again.',
    'Find out who else writes lake-meta/v1/CURRENT.json, then "rocketgames recover".',
  ),
  crawler_busy: passing(
    'A crawl did not end within LAKE_CRAWLER_WAIT. Views show the snapshot before.',
    'Nothing, if somebody started the crawler by hand: the hourly recovery goes on. Else raise LAKE_CRAWLER_WAIT, then "rocketgames recover".',
  ),
  crawler_scheduled: lasting(
    'The crawler has a schedule and could run in the middle of a commit.',
    'Remove the schedule of the crawler in Glue, then "rocketgames recover".',
  ),
  crawler_failed: lasting(
    'The crawl after the commit did not succeed. Views show the snapshot before.',
    'Read the message of the crawl in Glue or CloudWatch (mostly the role of the crawler), then "rocketgames recover".',
  ),
  catalogue_failed: passing(
    'Glue did not do what it was asked, after all repeats. Views show the snapshot before.',
    'Look at the cause in the message (access, limits, Lake Formation), then "rocketgames recover".',
  ),
  catalogue_drift: lasting(
    'The catalogue differs from the contract: a type, a column, a table or a location. Views show the snapshot before.',
    '"rocketgames verify" names each difference; put the catalogue right, find out who changed it, then "rocketgames recover".',
  ),
  query_failed: passing(
    'Athena did not run a statement of the publication. Views show the snapshot before.',
    'Look at the reason in the message (workgroup, access to results, limits), then "rocketgames recover".',
  ),
  smoke_mismatch: lasting(
    'Athena counts other rows than the manifest.',
    '"rocketgames verify --all --deep" tells which file, partition or view is wrong; then "rocketgames recover".',
  ),
  fenced: passing(
    'Another process has taken over, so this one stopped at once.',
    'Nothing: look at the snapshot, the other process finishes it. If it happens often, raise LAKE_LEASE_TTL.',
  ),
  cancelled: passing(
    'The process was told to stop. Nothing of a snapshot that failed is left; any other one is not published yet.',
    'When it failed: take a new snapshot when it suits. When it is prepared, committing or committed: "rocketgames recover" finishes it.',
  ),
  abandoned: passing(
    'The process of the snapshot ended before the commit. Nothing of the snapshot is left.',
    'Look at why it ended: out of memory, a machine that went away; then take a new snapshot.',
  ),
  prepared_expired: passing(
    'The snapshot waited for its commit longer than LAKE_PREPARED_TTL. Nothing of it is left.',
    'Find out what it waited for (the crawler, or nobody ran "rocketgames recover"), then take a new snapshot.',
  ),
  rolled_back: passing(
    'An upload was gone before its commit. Nothing of the snapshot is left.',
    'Find out who aborts uploads below lake/: a lifecycle rule shorter than a day, or a Spark job that writes there; then take a new one.',
  ),
  internal: lasting(
    'Something that nobody expected.',
    'Keep the message and the log, and report it. "rocketgames recover" finishes or removes what is left.',
  ),
}

/** What to do about a code that was stored, by this version or another. */
export function guideOf(code: string): ProblemGuide {
  return Object.hasOwn(PROBLEM_GUIDE, code) ? PROBLEM_GUIDE[code as LakeProblemCode] : PROBLEM_GUIDE.internal
}
