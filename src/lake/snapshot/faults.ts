import type { Tap } from '../tap.ts'

/**
 * Places where a test may end, stop or fail the process, so that recovery is proved at each of them: around every call to S3, Glue and Athena
 * and around every write of a control row.
 *
 *     FAULT=<point>[#<nth> | #*]:<action>
 *
 * `<point>` is one of `FAULT_POINTS`; `<nth>` says which time it is met (default the first, `*` each). Actions: `kill` (SIGKILL to itself, as
 * a power cut), `stop` (SIGSTOP: everything stands still until somebody sends SIGCONT), `fail` (the call fails as by a broken
 * connection; after the call this is a lost answer).
 */
const CALLS = [
  // S3
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListParts',
  'ListMultipartUploads',
  'ListObjectsV2',
  'HeadObject',
  'GetObject-file',
  'GetObject-manifest',
  'GetObject-current',
  'PutObject-contract',
  'PutObject-manifest',
  'PutObject-current',
  'PutObject-retired',
  'PutObject-unload',
  'GetObject-unload',
  'DeleteObjects-unload',
  'DeleteObjects-file',
  'DeleteObjects-manifest',
  // Glue
  'GetDatabase',
  'CreateDatabase',
  'GetTable',
  'GetTables',
  'CreateTable',
  'UpdateTable',
  'BatchCreatePartition',
  'GetPartition',
  'GetPartitions',
  'UpdatePartition',
  'BatchDeletePartition',
  'GetCrawler',
  'CreateCrawler',
  'StartCrawler',
  'StartJobRun',
  'GetJobRun',
  'GetJobRuns',
  'BatchStopJobRun',
  // Athena
  'StartQueryExecution-view',
  'StartQueryExecution-query',
  'GetQueryExecution',
  'GetQueryResults',
  'ListQueryExecutions',
  'BatchGetQueryExecution',
  'StopQueryExecution',
] as const

const CONTROL_WRITES = [
  'control-lease-take',
  'control-lease-extend',
  'control-lease-release',
  'control-not-started',
  'control-requested',
  'control-claim',
  'control-confirm',
  'control-measurements',
  'control-planning',
  'control-uploading',
  'control-tables',
  'control-table-copying',
  'control-table-uploaded',
  'control-upload-open',
  'control-upload-uploaded',
  'control-prepared',
  'control-committing',
  'control-upload-completed',
  'control-committed',
  'control-published',
  'control-upload-aborted',
  'control-failed',
  'control-problem',
  'control-retiring',
  'control-retiring-at',
  'control-retired',
] as const

type CallPoint = `${'before' | 'during' | 'after'}-${(typeof CALLS)[number]}`
type ControlPoint = `${'before' | 'after'}-${(typeof CONTROL_WRITES)[number]}`
export type FaultPoint = CallPoint | ControlPoint

/** Every point, in the order of the lists. A test runs everything and compares: none is missing, none is never met. */
export const FAULT_POINTS: readonly FaultPoint[] = [
  ...CALLS.flatMap((call): FaultPoint[] => [`before-${call}`, `during-${call}`, `after-${call}`]),
  ...CONTROL_WRITES.flatMap((write): FaultPoint[] => [`before-${write}`, `after-${write}`]),
]

const ACTIONS = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  fail: (point: string) => {
    throw Object.assign(new Error(`Connection broken for a test at ${point}`), { code: 'ECONNRESET' })
  },
} as const

const SETTING = /^(?<point>[A-Za-z0-9-]+)(?:#(?<nth>\*|[1-9]\d{0,5}))?:(?<action>kill|stop|fail)$/

/**
 * The tap that does what the setting FAULT says; undefined where it is not set.
 *
 * @throws Error when the setting names no point or no action: a test must not pass because of a typing error.
 */
export function faultTap(setting: string | undefined): Tap | undefined {
  if (setting === undefined) return undefined
  const { action = '', nth = '1', point = '' } = SETTING.exec(setting)?.groups ?? {}
  if (!(FAULT_POINTS as readonly string[]).includes(point)) {
    throw new Error(
      `FAULT ${JSON.stringify(setting)} must be <point>[#<nth>|#*]:<kill|stop|fail>; points are in faults.ts`,
    )
  }
  let met = 0
  const reached = (name: string) => {
    if (name !== point) return
    met++
    if (nth === '*' || met === Number(nth)) ACTIONS[action as keyof typeof ACTIONS](point)
  }
  return {
    before: (name) => reached(`before-${name}`),
    // Nobody waits here for whom a call could fail.
    during: (name) => {
      if (action !== 'fail') reached(`during-${name}`)
    },
    after: (name) => reached(`after-${name}`),
  }
}
