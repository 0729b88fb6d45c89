import { Stack } from 'aws-cdk-lib'
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import { AlarmTopics } from '../constructs/alarm-topics.ts'
import { databaseAlarms } from '../constructs/database-alarms.ts'
import { FailureNotices } from '../constructs/failure-notices.ts'
import { lakeAlarms } from '../constructs/lake-alarms.ts'
import { MonthlyBudget } from '../constructs/monthly-budget.ts'
import { processAlarms, requestAlarms, silenceAlarm, snapshotAlarms } from '../constructs/program-alarms.ts'
import { ProgramMetrics } from '../constructs/program-metrics.ts'
import { functionAlarms, serviceAlarms } from '../constructs/service-alarms.ts'
import { WatchDashboard } from '../constructs/watch-dashboard.ts'
import { type AlarmPlan, watch } from '../constructs/watched-alarm.ts'
import type { ApiStackProps } from './api-stack-props.ts'
import type { FunctionStack } from './function-stack.ts'
import type { ServiceStack } from './service-stack.ts'

export interface WatchStackProps extends ApiStackProps {
  /** Where `compute` is `fargate`. */
  readonly service?: ServiceStack
  /** Where `compute` is `lambda`. */
  readonly function?: FunctionStack
}

/**
 * What somebody has to know without having asked: alarms, notices of what failed, what a month may cost; and the page where they look then. It
 * reads names of the other stacks and changes nothing in them.
 */
export class WatchStack extends Stack {
  readonly topics: AlarmTopics
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, given: WatchStackProps) {
    const { settings, database, lake, cluster, tasks, service, function: api, network: _, ...props } = given
    super(scope, id, props)
    const prefix = `rocketgames-accounts-${settings.name}`
    const metrics = new ProgramMetrics(settings.name)
    this.topics = new AlarmTopics(this, 'Topics', { prefix, email: settings.alarmEmail })
    const workgroups = Object.values(lake.queryGroups.places).map(({ workgroup }) => workgroup)
    const plans: AlarmPlan[] = [
      ...snapshotAlarms(metrics),
      ...requestAlarms(metrics),
      silenceAlarm(metrics, settings),
      ...(service ? [...processAlarms(metrics, settings), ...serviceAlarms(service, settings)] : []),
      ...(api ? functionAlarms(api) : []),
      ...databaseAlarms(database.instance, settings),
      ...lakeAlarms({ deadLetters: [tasks.deadLetters, lake.workflow.deadLetters], workgroups }),
    ]
    this.alarms = plans.map((plan) => watch(this.topics, prefix, plan))
    const ends = [
      cluster.migrateTask,
      cluster.keysTask,
      tasks.snapshotTask,
      tasks.careTask,
      ...Object.values(tasks.askedTasks),
      ...(api ? [api.workTask] : []),
    ]
    const { owner, service: user, exporter } = database.secrets
    new FailureNotices(this, 'Notices', {
      topics: this.topics,
      cluster: cluster.cluster,
      database: database.instance,
      families: ends.map(({ family }) => family),
      glueJobs: [lake.curateJobName, lake.unloadJobName, ...(lake.loadJobName === undefined ? [] : [lake.loadJobName])],
      crawler: lake.crawlerName,
      rotated: [owner, user, exporter].map(({ secretArn }) => secretArn),
    })
    new MonthlyBudget(this, 'Budget', {
      name: prefix,
      limitUsd: settings.budgetUsd,
      tags: { application: 'rocketgames-accounts', stage: settings.name },
      email: settings.alarmEmail,
    })
    const groups = [service?.task.logGroup, api?.logGroup, ...ends.map(({ logGroup }) => logGroup)]
    new WatchDashboard(this, 'Dashboard', {
      ...{
        name: prefix,
        stage: settings.name,
        metrics,
        alarms: this.alarms,
        database,
        service,
        function: api,
        workgroups,
      },
      logGroups: groups.flatMap((group) => (group ? [group.logGroupName] : [])),
    })
  }
}
