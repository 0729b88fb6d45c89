import { Duration } from 'aws-cdk-lib'
import { Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds'
import type { StageSettings } from '../stages.ts'
import type { AlarmPlan } from './watched-alarm.ts'

const GIB = 1024 ** 3
/** GiB of the sizes of classes t and m; those of r have twice as much. */
const MEMORY_GIB: Readonly<Record<string, number>> = {
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
  '2xlarge': 32,
  '4xlarge': 64,
  '8xlarge': 128,
}
/** RDS takes so many bytes of an instance's memory for each connection that it allows (its default of max_connections). */
const BYTES_A_CONNECTION = 9_531_392
/** What the system and RDS itself leave of the memory. */
const USABLE = 0.9
const CPU_PERCENT = 85
const CONNECTIONS_SHARE = 0.8
const STORAGE_SHARE = 0.07
const MEMORY_SHARE = 0.04
const LATENCY_SECONDS = 0.05
/** Of 2 billion, at which Postgres stops to take writes. */
const TRANSACTION_IDS = 750_000_000
const CREDITS = 30

/** @throws where the class is none whose memory is known. */
export function databaseMemoryBytes(instance: string): number {
  const [family = '', size = ''] = instance.split('.')
  const gib = MEMORY_GIB[size]
  if (gib === undefined || !/^[tmr]/.test(family)) {
    throw new Error(`The memory of ${instance} is not known: add its size in infra/constructs/database-alarms.ts`)
  }
  return gib * GIB * (family.startsWith('r') ? 2 : 1)
}

/** Alarms on the server of the database. Storage grows by itself at a tenth that is free: below that it is at its end. */
export function databaseAlarms(database: DatabaseInstance, { database: size }: StageSettings): AlarmPlan[] {
  const period = Duration.minutes(5)
  const of = (name: string, statistic: string = Stats.AVERAGE) => database.metric(name, { statistic, period })
  const memory = databaseMemoryBytes(size.instance)
  const connections = Math.floor((memory * USABLE) / BYTES_A_CONNECTION)
  const plans: AlarmPlan[] = [
    {
      name: 'database-cpu',
      severity: 'ticket',
      means: `The database uses more than ${CPU_PERCENT} % of its processors for 20 minutes.`,
      first: 'Performance Insights: which statement? A snapshot reads for minutes and is no reason by itself.',
      metric: of('CPUUtilization'),
      threshold: CPU_PERCENT,
      of: [4, 4],
    },
    {
      name: 'database-storage',
      severity: 'page',
      means: `Less than ${100 * STORAGE_SHARE} % of ${size.storageGb} GiB is free, although storage grows by itself up to ${size.maxStorageGb} GiB: at none, writes fail.`,
      first:
        'Raise database.maxStorageGb in infra/stages.ts and deploy; then look for a replication slot or a table that grows.',
      metric: of('FreeStorageSpace', Stats.MINIMUM),
      threshold: Math.round(STORAGE_SHARE * size.storageGb * GIB),
      below: true,
      of: [3, 3],
    },
    {
      name: 'database-connections',
      severity: 'page',
      means: `More than four fifths of about ${connections} connections are taken: the next replicas get none.`,
      first: 'Who holds them? select usename, state, count(*) from pg_stat_activity group by 1, 2.',
      metric: of('DatabaseConnections', Stats.MAXIMUM),
      threshold: Math.floor(CONNECTIONS_SHARE * connections),
      of: [3, 3],
    },
    {
      name: 'database-memory',
      severity: 'ticket',
      means: `Less than ${100 * MEMORY_SHARE} % of the memory of ${size.instance} is free: the database begins to swap, or ends by force.`,
      first: 'Compare with connections and with SwapUsage; a larger class helps at once, with a failover.',
      metric: of('FreeableMemory', Stats.MINIMUM),
      threshold: Math.round(MEMORY_SHARE * memory),
      below: true,
      of: [4, 4],
    },
    {
      name: 'database-disk-slow',
      severity: 'ticket',
      means: `A write to the disk of the database takes longer than ${1000 * LATENCY_SECONDS} ms on average: every commit waits for one.`,
      first:
        "Are the disk's operations per second at their limit (3,000 of gp3)? Which statement writes (Performance Insights)?",
      metric: of('WriteLatency'),
      threshold: LATENCY_SECONDS,
      of: [3, 3],
    },
    {
      name: 'database-transaction-ids',
      severity: 'ticket',
      means:
        'Autovacuum does not keep up with transaction ids: at 2 billion Postgres takes no more writes. Days are left, not hours.',
      first:
        'Which session holds an old snapshot? select pid, backend_xmin, state from pg_stat_activity order by age(backend_xmin) desc.',
      metric: of('MaximumUsedTransactionIDs', Stats.MAXIMUM),
      threshold: TRANSACTION_IDS,
      of: [1, 1],
    },
  ]
  if (size.instance.startsWith('t')) {
    plans.push({
      name: 'database-credits',
      severity: 'ticket',
      means:
        'The burst credits of the database have been used up for three hours: what it does beyond its share is billed.',
      first: 'Load that stays needs a class of family m; a single run needs nothing.',
      metric: of('CPUCreditBalance', Stats.MINIMUM),
      threshold: CREDITS,
      below: true,
      // A new instance begins with none and has earned these after two hours without much to do.
      of: [36, 36],
    })
  }
  return plans
}
