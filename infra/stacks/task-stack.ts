import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as scheduler from 'aws-cdk-lib/aws-scheduler'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { databaseSettings } from '../constructs/program-settings.ts'
import { CONTAINER_NAME, ProgramTask, type ProgramTaskProps } from '../constructs/program-task.ts'
import { DUE_INSTANT, TaskSchedule } from '../constructs/task-schedule.ts'
import { grantStart } from '../constructs/task-starter.ts'
import { accept } from '../nag.ts'
import type { StageSettings } from '../stages.ts'
import type { ClusterStack } from './cluster-stack.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'

export interface TaskStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly cluster: ClusterStack
}

/** Recovery and retention, every hour at this minute: away from the full hour, at which snapshots begin. */
const CARE_CRON = '20 * * * *'
/**
 * Every day, so that what somebody deleted in the bucket is known while it can be had back: S3 keeps it for a day and then to midnight,
 * UTC. When snapshots and care are over.
 */
const VERIFY_CRON = '40 4 * * *'
/** The next care is near then; a snapshot that is so late is not worth more than the alarm. */
const RETRY_STARTS_FOR = Duration.minutes(50)

/** The tasks that write the lake, and when they run. The same in every stage, whatever answers requests. */
export class TaskStack extends Stack {
  readonly snapshotTask: ProgramTask
  readonly careTask: ProgramTask
  /** The same for the API to start, which is in reach of callers: these run no other command, and with no other settings. */
  readonly askedTasks: { readonly snapshot: ProgramTask; readonly care: ProgramTask }
  readonly schedules: Readonly<Record<'snapshot' | 'care' | 'verify', scheduler.Schedule>>
  /** Starts of tasks that the schedules gave up. */
  readonly deadLetters: sqs.Queue
  /** What the API needs to have them started: `LAKE_RUNNER=ecs` and where; see `grantStart`. */
  readonly settings: Readonly<Record<string, string>>
  readonly #cluster: ecs.ICluster

  constructor(scope: Construct, id: string, { settings, cluster, network, database, lake, ...props }: TaskStackProps) {
    super(scope, id, props)
    this.#cluster = cluster.cluster
    const { exporter, pseudonymKey } = database.secrets
    const { environment, secrets } = databaseSettings(database, exporter)
    const { cpu, memoryMiB, cron, zone } = settings.snapshot
    const task = (id: string, command: readonly string[], more: Pick<ProgramTaskProps, 'fixedLike' | 'name'> = {}) =>
      new ProgramTask(this, id, {
        ...{ ...more, settings },
        image: cluster.image,
        command,
        cpu,
        memoryMiB,
        environment: { ...environment, ...lake.settings, ...scheduleSettings(settings) },
        secrets: { ...secrets, LAKE_PSEUDONYM_KEY: ecs.Secret.fromSecretsManager(pseudonymKey) },
      })
    this.snapshotTask = task('Snapshot', ['snapshot', '--json'])
    this.careTask = task('Care', ['care', '--json'])
    this.askedTasks = {
      snapshot: task('AskedSnapshot', ['snapshot', '--json'], { name: 'asked-snapshot', fixedLike: this.snapshotTask }),
      care: task('AskedCare', ['care', '--json'], { name: 'asked-care', fixedLike: this.careTask }),
    }
    lake.grantExport(this.snapshotTask.definition.taskRole)
    lake.grantCare(this.careTask.definition.taskRole)

    this.deadLetters = this.#deadLetters()
    const common = {
      cluster: cluster.cluster,
      securityGroup: network.groups.tasks,
      deadLetters: this.deadLetters,
      maxAge: RETRY_STARTS_FOR,
    }
    const snapshot = new TaskSchedule(this, 'SnapshotSchedule', {
      ...common,
      description: 'Snapshots of the lake',
      ...{ cron, zone, task: this.snapshotTask },
      command: ['snapshot', '--json', '--scheduled', DUE_INSTANT],
    })
    const care = new TaskSchedule(this, 'CareSchedule', {
      ...common,
      description: 'Recovery and retention of the lake',
      ...{ cron: CARE_CRON, zone: 'UTC', task: this.careTask },
      command: ['care', '--json'],
    })
    const verify = new TaskSchedule(this, 'VerifySchedule', {
      ...common,
      description: 'Verification of the lake',
      ...{ cron: VERIFY_CRON, zone: 'UTC', task: this.snapshotTask },
      command: ['verify', '--all', '--json'],
    })
    this.schedules = { snapshot: snapshot.schedule, care: care.schedule, verify: verify.schedule }
    this.settings = {
      ...scheduleSettings(settings),
      LAKE_RUNNER: 'ecs',
      LAKE_ECS_CLUSTER: cluster.cluster.clusterName,
      LAKE_ECS_SNAPSHOT_TASK: this.askedTasks.snapshot.family,
      LAKE_ECS_CARE_TASK: this.askedTasks.care.family,
      LAKE_ECS_CONTAINER: CONTAINER_NAME,
      LAKE_ECS_SUBNETS: network.vpc.privateSubnets.map(({ subnetId }) => subnetId).join(','),
      LAKE_ECS_SECURITY_GROUPS: network.groups.tasks.securityGroupId,
    }
    new CfnOutput(this, 'SnapshotTask', { value: this.snapshotTask.family })
    new CfnOutput(this, 'CareTask', { value: this.careTask.family })
  }

  /** Lets the API start snapshots and care; nothing else. */
  grantStart(role: iam.IRole): void {
    grantStart(role, this.#cluster, Object.values(this.askedTasks))
  }

  #deadLetters(): sqs.Queue {
    const queue = new sqs.Queue(this, 'DeadLetters', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    accept(queue, {
      rule: 'AwsSolutions-SQS3',
      reason: 'It is itself where schedules leave the starts that they gave up; an alarm tells of every one.',
    })
    return queue
  }
}

/** Somebody else starts what is due: the program knows the schedule for the age that a snapshot may have. */
function scheduleSettings({ snapshot: { cron, zone } }: StageSettings): Record<string, string> {
  return { LAKE_SCHEDULER: 'none', LAKE_SCHEDULE: cron, LAKE_SCHEDULE_ZONE: zone }
}
