import { Duration } from 'aws-cdk-lib'
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  PeriodOverride,
  SingleValueWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Construct } from 'constructs'
import type { DatabaseStack } from '../stacks/database-stack.ts'
import type { FunctionStack } from '../stacks/function-stack.ts'
import type { ServiceStack } from '../stacks/service-stack.ts'
import { scannedBytes } from './lake-alarms.ts'
import { METRICS_NAMESPACE, type ProgramMetrics } from './program-metrics.ts'

export interface WatchDashboardProps {
  readonly name: string
  readonly stage: string
  readonly metrics: ProgramMetrics
  readonly alarms: readonly Alarm[]
  readonly database: DatabaseStack
  readonly service?: ServiceStack | undefined
  readonly function?: FunctionStack | undefined
  readonly workgroups: readonly string[]
  /** Names of the groups that the program writes to. */
  readonly logGroups: readonly string[]
}

const HEIGHT = 6
/** Of 24 columns. */
const THIRD = 8

const graph = (
  title: string,
  left: IMetric[],
  more: { right?: IMetric[]; limit?: number; label?: string } = {},
): IWidget =>
  new GraphWidget({
    title,
    left,
    right: more.right ?? [],
    leftYAxis: { min: 0, showUnits: false, ...(more.label === undefined ? {} : { label: more.label }) },
    rightYAxis: { min: 0, showUnits: false },
    ...(more.limit === undefined ? {} : { leftAnnotations: [{ value: more.limit, label: 'limit', color: '#d62728' }] }),
    width: THIRD,
    height: HEIGHT,
  })

/** One page that answers: do callers get answers, do analysts get data, and what stands in the way. */
export class WatchDashboard extends Construct {
  constructor(scope: Construct, id: string, props: WatchDashboardProps) {
    super(scope, id)
    new Dashboard(this, 'Dashboard', {
      dashboardName: props.name,
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.AUTO,
      widgets: [
        this.#head(props),
        this.#requests(props),
        this.#front(props),
        this.#snapshots(props),
        this.#processes(props),
        this.#database(props),
        this.#logs(props),
      ],
    })
  }

  #head({ stage, alarms }: WatchDashboardProps): IWidget[] {
    const markdown = [
      `# RocketGames Accounts: ${stage}`,
      'Every alarm has a section of its name in docs/operations.md. From top to bottom: alarms, requests, snapshots, processes, database, log.',
    ].join('\n')
    return [
      new TextWidget({ markdown, width: THIRD, height: HEIGHT }),
      new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 2 * THIRD, height: HEIGHT }),
    ]
  }

  #requests({ metrics }: WatchDashboardProps): IWidget[] {
    const time = (statistic: string) => metrics.process('RequestTime', statistic).with({ label: statistic })
    return [
      graph('Requests', [metrics.count('Requests')], { right: [metrics.count('RateLimited')], label: 'in 5 minutes' }),
      graph('Answers with 5xx', [metrics.count('ServerErrors')], { label: 'in 5 minutes' }),
      graph('Time of requests, ms', [time('p50'), time('p95'), time('p99')]),
    ]
  }

  #front({ service, function: api }: WatchDashboardProps): IWidget[] {
    if (service) {
      const { loadBalancer, targetGroup } = service
      const codes = [
        loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, {
          statistic: Stats.SUM,
          label: '5xx of the balancer',
        }),
        service.ofTargets(
          targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
            statistic: Stats.SUM,
            label: '5xx of tasks',
          }),
        ),
        service.ofTargets(
          targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT, {
            statistic: Stats.SUM,
            label: '4xx of tasks',
          }),
        ),
      ]
      return [
        graph('Tasks', [service.ofTargets(targetGroup.metrics.healthyHostCount({ label: 'ready' }))], {
          right: [service.ofTargets(targetGroup.metrics.unhealthyHostCount({ label: 'not ready' }))],
        }),
        graph('Answers at the load balancer', codes),
        graph('Processor and memory of tasks, %', [
          service.service.metricCpuUtilization(),
          service.service.metricMemoryUtilization(),
        ]),
      ]
    }
    if (!api) return []
    const ran = api.function
    return [
      graph('Functions at once', [ran.metric('ConcurrentExecutions', { statistic: Stats.MAXIMUM })]),
      graph('Functions that failed or were refused', [ran.metricErrors(), ran.metricThrottles()]),
      graph('Time of the function, ms', [
        ran.metricDuration({ statistic: 'p50' }),
        ran.metricDuration({ statistic: 'p99' }),
      ]),
    ]
  }

  #snapshots({ metrics, workgroups }: WatchDashboardProps): IWidget[] {
    return [
      graph('Age of the newest snapshot, s', [metrics.state('SnapshotAge'), metrics.state('SnapshotAgeLimit')], {
        right: [metrics.state('SnapshotWaiting')],
      }),
      graph(
        'Snapshots that failed, drift, jobs',
        [metrics.state('SnapshotFailures'), metrics.state('CatalogueDrift')],
        {
          right: [metrics.state('JobsWaiting'), metrics.state('OldestJobAge')],
        },
      ),
      graph('Bytes that queries scanned, in an hour', [scannedBytes(workgroups, Duration.hours(1))]),
    ]
  }

  #processes({ metrics }: WatchDashboardProps): IWidget[] {
    return [
      graph('Memory of the largest process, bytes', [metrics.process('ResidentMemory', Stats.MAXIMUM)]),
      graph('Longest delay of events, ms', [metrics.process('EventLoopDelay', Stats.MAXIMUM)], {
        right: [metrics.process('PoolWaiting', Stats.MAXIMUM)],
      }),
      new SingleValueWidget({
        title: 'Migrations that are missing',
        metrics: [metrics.state('PendingMigrations')],
        width: THIRD,
        height: HEIGHT,
      }),
    ]
  }

  #database({ database: { instance } }: WatchDashboardProps): IWidget[] {
    return [
      graph('Processor of the database, %', [instance.metricCPUUtilization()], {
        right: [instance.metricDatabaseConnections({ statistic: Stats.MAXIMUM })],
      }),
      graph('Storage and memory that are free, bytes', [instance.metricFreeStorageSpace()], {
        right: [instance.metricFreeableMemory()],
      }),
      graph('Latency of the disk, s', [instance.metric('ReadLatency'), instance.metric('WriteLatency')], {
        right: [instance.metricReadIOPS(), instance.metricWriteIOPS()],
      }),
    ]
  }

  #logs({ logGroups }: WatchDashboardProps): IWidget[] {
    return [
      new LogQueryWidget({
        title: `What went wrong (level 50 is an error); metrics are in ${METRICS_NAMESPACE}`,
        logGroupNames: [...logGroups],
        view: LogQueryVisualizationType.TABLE,
        queryLines: [
          'fields @timestamp, msg, code, reason, requestId, traceId',
          'filter level >= 50',
          'sort @timestamp desc',
          'limit 50',
        ],
        width: 3 * THIRD,
        height: HEIGHT,
      }),
    ]
  }
}
