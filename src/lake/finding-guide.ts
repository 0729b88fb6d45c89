/** What an operator needs to know of a finding of `verify`: shown by the command line and a table in docs/snapshots.md. */
export interface FindingGuide {
  /** What is wrong, as a sentence that holds for every case. */
  readonly what: string
  /** What to do next. */
  readonly next: string
}

const guide = (what: string, next: string): FindingGuide => ({ what, next })

const RESTORE =
  'Restore the object from a noncurrent version of the bucket; without one, take a new snapshot and let retention remove this one.'
const TAKE_NEW =
  'Do not use the snapshot. Take a new one; if that shows the same, it is a defect of the program: report it.'
const TABLE_BACK =
  'Set it back in Glue; GET /v1/lake/tables shows the right columns. Until then new snapshots stay committed and views do not move.'
const PARTITION_BACK =
  'Drop the partition in Glue, then start the crawler or take a snapshot: a crawl registers every folder again, with the columns of the table.'
const VIEWS =
  'Take a snapshot, or run "rocketgames recover" when one is committed: both replace every view that is not as it should be.'
const NOT_OURS =
  'After a restore of the database: "rocketgames recover --after-restore". Else find out who wrote it, and remove it by hand: nothing of the lake does, as it may be wanted.'

/** Every code that `verify` can give. They are stable: scripts may compare them. */
export const FINDING_GUIDE = {
  // one snapshot, in S3
  manifest_missing: guide('The manifest of a live snapshot is not in S3.', RESTORE),
  manifest_mismatch: guide('The manifest in S3 is another one than the control table holds.', RESTORE),
  count_mismatch: guide(
    'Counts of rows, bytes or files do not agree between the control tables, the manifest and its files.',
    TAKE_NEW,
  ),
  contract_missing: guide('The contract of a table, by which old files are read, is not in S3.', RESTORE),
  contract_mismatch: guide('The contract of a table in S3 is another one than its fingerprint says.', RESTORE),
  object_missing: guide(
    'A file of a live snapshot is not in S3: queries answer with fewer rows, without an error.',
    RESTORE,
  ),
  object_mismatch: guide('A file has another size, CRC32 or footer than its manifest says.', RESTORE),
  footer_mismatch: guide(
    'The footer of a file does not say what the manifest does: rows, columns, row groups, offsets.',
    TAKE_NEW,
  ),
  metadata_mismatch: guide(
    'The names and versions inside a file are not those of its snapshot: it may be a file of another one.',
    TAKE_NEW,
  ),
  // one snapshot, every value read (--deep)
  values_unreadable: guide('A page of a file cannot be decoded.', RESTORE),
  column_mismatch: guide(
    'Values of a column are not those that were encoded: its sum or its count of NULLs differs.',
    TAKE_NEW,
  ),
  statistics_mismatch: guide(
    'Statistics of a row group leave out values that are there: engines skip rows that match.',
    TAKE_NEW,
  ),
  page_index_mismatch: guide(
    'The page index of a file leaves out values or leads elsewhere: engines skip rows that match.',
    TAKE_NEW,
  ),
  // the bucket
  pointer_mismatch: guide(
    'CURRENT.json is missing, cannot be read, or names another snapshot or checksum than the last published one.',
    'Publishing the next snapshot writes it anew; jobs that read it should wait for that.',
  ),
  stray_object: guide(
    'An object that no snapshot names. Below a registered partition engines read it: rows twice, or a query that fails.',
    NOT_OURS,
  ),
  stray_manifest: guide('A manifest of no known snapshot: a job that lists manifests would read it.', NOT_OURS),
  orphan_upload: guide(
    'An upload that no running snapshot knows. It is invisible, and costs storage.',
    '"rocketgames recover" ends those older than an hour; the bucket\'s lifecycle rule ends all after 2 days.',
  ),
  retired_missing: guide(
    'The manifest of a retired snapshot is not kept: what it held can no longer be told.',
    RESTORE,
  ),
  retired_mismatch: guide('The kept manifest of a retired snapshot differs from the control table.', RESTORE),
  // Glue
  table_missing: guide(
    'Glue has no table of this contract.',
    'Take a snapshot: it creates the table, and its crawl registers older snapshots again.',
  ),
  extra_table: guide(
    'The raw database has a table that no contract explains; a crawl may have invented it from a stray file.',
    'Look for stray_object, remove the file, then drop the table.',
  ),
  table_deprecated: guide(
    'The crawler marked a table as deprecated.',
    'Remove DEPRECATED_BY_CRAWLER from its parameters and look for why the crawler found no files.',
  ),
  table_location: guide('A table points to another place than its folder.', TABLE_BACK),
  format_drift: guide('A table is not read as Parquet.', TABLE_BACK),
  partition_key_drift: guide(
    'The partition keys of a table are not snapshot_date and snapshot_id, both string.',
    TABLE_BACK,
  ),
  column_missing: guide(
    'Glue lacks a column that the files have: it reads as if it were not there.',
    'Take a snapshot, which appends missing columns to a table; drop a partition that lacks one and start the crawler.',
  ),
  extra_column: guide(
    'Glue has a column that no file has; a foreign file may lie under the table.',
    'Look for stray_object; then remove the column in Glue.',
  ),
  type_drift: guide(
    'Glue says another type than the files: engines answer wrongly without an error.',
    'Set the type back in Glue, in the table and in its partitions. Until then new snapshots stay committed and views do not move.',
  ),
  partition_missing: guide(
    'A live snapshot is not registered: queries answer with fewer rows, without an error.',
    'Start the crawler, or take a snapshot: a crawl registers every folder again.',
  ),
  partition_location: guide(
    'A partition points to another place than its snapshot: queries read something else.',
    PARTITION_BACK,
  ),
  extra_partition: guide(
    'A partition of no live snapshot.',
    'Drop the partition, unless its snapshot is just being retired. After a restore of the database: "rocketgames recover --after-restore".',
  ),
  crawler_missing: guide('There is no crawler.', 'Take a snapshot, which creates it, or deploy the infrastructure.'),
  crawler_drift: guide(
    'The crawler is set otherwise than the lake needs: it may change types or delete partitions.',
    'Set it back; "rocketgames serve" of a local lake does so at its start.',
  ),
  crawler_scheduled: guide(
    'The crawler has a schedule and could show half a commit. No snapshot is committed meanwhile.',
    'Remove the schedule: snapshots start the crawler.',
  ),
  // Athena
  view_missing: guide('A view that analysts query is not there.', VIEWS),
  view_drift: guide('A view shows other snapshots than it should.', VIEWS),
  view_altered: guide('A view is defined otherwise than it was published.', VIEWS),
} as const satisfies Readonly<Record<string, FindingGuide>>

export type FindingCode = keyof typeof FINDING_GUIDE
