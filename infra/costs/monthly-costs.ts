import { Cron } from 'croner'
import type { Resource } from '../audit/stack-resources.ts'
import { COUNT_METRICS, PROCESS_METRICS, STATE_METRICS } from '../constructs/program-metrics.ts'
import type { StageSettings } from '../stages.ts'
import { PRICES, type PriceName } from './prices.ts'

/** What nobody can read from a template: how much a stage is used. */
export interface Usage {
  readonly says: string
  /** Millions a month. */
  readonly requests: number
  readonly functionMs: number
  /** Tasks that answer, over the day on average. */
  readonly tasks: number
  /** Load of the balancer, in its units, over the day on average. */
  readonly balancerUnits: number
  /** Of one snapshot: GB that it writes, minutes that its task runs. */
  readonly snapshotGb: number
  readonly snapshotMinutes: number
  /** Snapshots that are kept at a time: about two days of all and fifteen dailies. */
  readonly snapshotsKept: number
  /** GB of curated tables. */
  readonly curatedGb: number
  /** Of the curate job after each snapshot. */
  readonly curateDpuHours: number
  readonly scannedTb: number
  readonly logGb: number
  /** GB a month through NAT, or through interface endpoints where there are some; and between zones. */
  readonly outGb: number
  readonly zonesGb: number
  /** Millions. */
  readonly traces: number
}

/** Where a quantity comes from: the templates, the settings of the stage, what the program writes, or nobody's knowledge. */
export type Origin = 'templates' | 'stages.ts' | 'program' | 'assumption'

export interface CostItem {
  readonly group: 'API' | 'Database' | 'Lake' | 'Network' | 'Keys and secrets' | 'Watching'
  readonly name: string
  readonly quantity: number
  readonly price: PriceName
  readonly origin: Origin
  readonly usd: number
}

export const HOURS = 730
const DAYS = HOURS / 24
/** A crawl of less is billed for ten minutes, of two DPU. */
const CRAWL_DPU_HOURS = (2 * 10) / 60
const CARE_MINUTES = 1.5
const VERIFY_MINUTES = 5
const WORK_RUNS = DAYS * 24 * 12
/** Per cluster and service that Container Insights writes of. */
const INSIGHT_METRICS = 40
const PROGRAM_METRICS = STATE_METRICS.length + COUNT_METRICS.length + PROCESS_METRICS.length
const IMAGES_GB = 2

/** Starts a month of a schedule of five fields. */
export function startsAMonth(cron: string): number {
  const first = Date.parse('2026-11-01T00:00:00Z')
  const schedule = new Cron(cron, { timezone: 'UTC' })
  let week = 0
  let last = schedule.nextRun(new Date(first - 1))
  while (last !== null && last.getTime() < first + 7 * 86_400_000) {
    week += 1
    last = schedule.nextRun(last)
  }
  return (week / 7) * DAYS
}

type Draft = readonly [name: string, quantity: number, price: PriceName, origin: Origin]

function ofTasks(name: string, hours: number, { cpu, memoryMiB }: { cpu: number; memoryMiB: number }): Draft[] {
  return [
    [`${name}: processors`, (hours * cpu) / 1024, 'taskVcpu', 'assumption'],
    [`${name}: memory`, (hours * memoryMiB) / 1024, 'taskMemory', 'assumption'],
  ]
}

/** Every cost of a month that is worth a line. @param resources of the stage's templates. */
export function monthlyCosts(settings: StageSettings, resources: readonly Resource[], usage: Usage): CostItem[] {
  const count = (type: string) => resources.filter((each) => each.type === type).length
  const alarmMetrics = resources
    .filter(({ type }) => type === 'AWS::CloudWatch::Alarm')
    .map(({ properties: { Metrics } }) =>
      (Metrics as { MetricStat?: unknown }[] | undefined)?.filter((each) => each.MetricStat),
    )
    .reduce((sum, metrics) => sum + (metrics?.length ?? 1), 0)
  const interfaces = resources.filter(
    ({ type, properties }) => type === 'AWS::EC2::VPCEndpoint' && properties.VpcEndpointType === 'Interface',
  ).length
  const rules = resources
    .filter(({ type }) => type === 'AWS::WAFv2::WebACL')
    .reduce((sum, { properties: { Rules } }) => sum + (Rules as unknown[]).length, 0)
  const { database, service, snapshot } = settings
  const twice = database.multiAz ? 2 : 1
  const snapshots = startsAMonth(snapshot.cron)
  const small = { cpu: 256, memoryMiB: 512 }

  const api: Draft[] =
    settings.compute === 'fargate'
      ? [
          ...ofTasks('Tasks that answer', HOURS * usage.tasks, service),
          ['Load balancer', HOURS * count('AWS::ElasticLoadBalancingV2::LoadBalancer'), 'balancer', 'templates'],
          ['Load balancer: load', HOURS * usage.balancerUnits, 'balancerUnit', 'assumption'],
          ['Web ACL', count('AWS::WAFv2::WebACL'), 'firewall', 'templates'],
          ['Web ACL: rules', rules, 'firewallRule', 'templates'],
          ['Web ACL: requests', usage.requests, 'firewallRequest', 'assumption'],
        ]
      : [
          [
            'Function: time',
            (usage.requests * 1e6 * usage.functionMs * service.memoryMiB) / 1000 / 1024,
            'functionTime',
            'assumption',
          ],
          ['Function: calls', usage.requests, 'functionCall', 'assumption'],
          ['API Gateway', usage.requests, 'gatewayCall', 'assumption'],
          ...ofTasks('Task work, a minute every five', WORK_RUNS / 60, small),
        ]
  const groups: Readonly<Record<CostItem['group'], readonly Draft[]>> = {
    API: api,
    Database: [
      [
        `Instance ${database.instance}${database.multiAz ? ', twice' : ''}`,
        HOURS * twice,
        database.instance as PriceName,
        'stages.ts',
      ],
      [`Storage${database.multiAz ? ', twice' : ''}`, database.storageGb * twice, 'databaseStorage', 'stages.ts'],
    ],
    Lake: [
      ...ofTasks('Snapshots', (snapshots * usage.snapshotMinutes) / 60, snapshot),
      ...ofTasks('Care, hourly', (HOURS * CARE_MINUTES) / 60, snapshot),
      ...ofTasks('Verification, daily', (DAYS * VERIFY_MINUTES) / 60, snapshot),
      ['Files kept', usage.snapshotGb * usage.snapshotsKept + usage.curatedGb, 'storage', 'assumption'],
      ['Files written', (snapshots * usage.snapshotGb * 1000) / 8 / 1e6, 'put', 'assumption'],
      ['Crawls', snapshots * CRAWL_DPU_HOURS, 'dpu', 'assumption'],
      ['Curate job', snapshots * usage.curateDpuHours, 'dpu', 'assumption'],
      ['Queries', usage.scannedTb, 'scanned', 'assumption'],
    ],
    Network: [
      ['NAT gateways', HOURS * count('AWS::EC2::NatGateway'), 'nat', 'templates'],
      ['Their addresses', HOURS * count('AWS::EC2::EIP'), 'address', 'templates'],
      ['Interface endpoints', HOURS * interfaces * settings.zones, 'endpoint', 'templates'],
      ['Data to AWS and out', usage.outGb, interfaces > 0 ? 'endpointData' : 'natData', 'assumption'],
      ['Data between zones', usage.zonesGb * 2, 'zones', 'assumption'],
      ['Images', IMAGES_GB, 'images', 'assumption'],
    ],
    'Keys and secrets': [
      ['Keys', count('AWS::KMS::Key'), 'key', 'templates'],
      ['Calls of keys', 0.2 + usage.requests / 1000, 'keyCall', 'assumption'],
      ['Secrets', count('AWS::SecretsManager::Secret'), 'secret', 'templates'],
    ],
    Watching: [
      ['Log lines in', usage.logGb, 'logIn', 'assumption'],
      ['Log lines kept, a month', usage.logGb, 'logKept', 'assumption'],
      ['Metrics of the program', PROGRAM_METRICS, 'metric', 'program'],
      ['Container Insights', INSIGHT_METRICS, 'metric', 'assumption'],
      ['Alarms', alarmMetrics, 'alarmMetric', 'templates'],
      ['Dashboard', count('AWS::CloudWatch::Dashboard'), 'dashboard', 'templates'],
      ['Traces', settings.tracing ? usage.traces : 0, 'trace', 'assumption'],
    ],
  }
  return Object.entries(groups).flatMap(([group, drafts]) =>
    drafts
      .filter(([, quantity]) => quantity > 0)
      .map(([name, quantity, price, origin]) => ({
        group: group as CostItem['group'],
        name,
        quantity,
        price,
        origin,
        // To the cent, so that the lines add up as they are printed.
        usd: Math.round(quantity * PRICES[price].usd * 100) / 100,
      })),
  )
}
