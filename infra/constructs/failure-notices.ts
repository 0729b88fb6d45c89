import type { Cluster } from 'aws-cdk-lib/aws-ecs'
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { CfnEventSubscription, type DatabaseInstance } from 'aws-cdk-lib/aws-rds'
import { Construct } from 'constructs'
import type { AlarmTopics } from './alarm-topics.ts'
import { CONTAINER_NAME } from './program-task.ts'
import { runbook } from './watched-alarm.ts'

export interface FailureNoticesProps {
  readonly topics: AlarmTopics
  readonly cluster: Cluster
  readonly database: DatabaseInstance
  /** Families of tasks that run to their end. */
  readonly families: readonly string[]
  readonly glueJobs: readonly string[]
  readonly crawler: string
  /** ARNs of secrets that are rotated. The events come through CloudTrail: the account needs a trail. */
  readonly rotated: readonly string[]
}

/** Names of notices: headings of their sections in docs/operations.md, as those of alarms. */
export const NOTICES = ['task-failed', 'glue-failed', 'rotation-failed', 'database-event'] as const

type Notice = (typeof NOTICES)[number]

/** What the database tells of itself and what nobody has to be told of otherwise: backups, settings, logs. */
const DATABASE_EVENTS = ['availability', 'failover', 'failure', 'low storage', 'maintenance', 'recovery']

/**
 * Failures that are events and no figures: each becomes a message that says what failed and why, as AWS saw it - also of tasks that
 * never came so far as to write a line or a row.
 */
export class FailureNotices extends Construct {
  readonly #topics: AlarmTopics

  constructor(scope: Construct, id: string, props: FailureNoticesProps) {
    super(scope, id)
    this.#topics = props.topics
    this.#tasks(props)
    this.#glue(props)
    this.#notice('rotation-failed', 'Passwords of the database could not be rotated', {
      source: ['aws.secretsmanager'],
      detailType: ['AWS Service Event via CloudTrail'],
      detail: { eventName: ['RotationFailed'], additionalEventData: { SecretId: [...props.rotated] } },
      says: `A rotation failed: ${EventField.fromPath('$.detail.additionalEventData.SecretId')}.`,
    })
    const events = new CfnEventSubscription(this, 'database-event', {
      snsTopicArn: props.topics.ticket.topicArn,
      sourceType: 'db-instance',
      sourceIds: [props.database.instanceIdentifier],
      eventCategories: DATABASE_EVENTS,
    })
    // RDS refuses a topic that it may not send to yet.
    events.node.addDependency(props.topics.ticket.node.findChild('Policy'))
  }

  /** By the program's own exit code: the collector of traces beside it may be ended by a signal. */
  #tasks({ cluster, families }: FailureNoticesProps): void {
    const task = {
      clusterArn: [cluster.clusterArn],
      lastStatus: ['STOPPED'],
      group: families.map((each) => `family:${each}`),
    }
    const field = (name: string) => EventField.fromPath(`$.detail.${name}`)
    this.#notice('task-failed', 'Tasks that run to their end: those that did not end well, or never started', {
      source: ['aws.ecs'],
      detailType: ['ECS Task State Change'],
      detail: {
        ...task,
        $or: [
          { stopCode: ['TaskFailedToStart'] },
          { containers: { name: [CONTAINER_NAME], exitCode: Match.anythingBut(0) } },
        ],
      },
      says: `The task ${field('group')} failed: ${field('stoppedReason')} (${field('taskArn')}).`,
    })
  }

  #glue({ glueJobs, crawler }: FailureNoticesProps): void {
    const field = (name: string) => EventField.fromPath(`$.detail.${name}`)
    this.#notice('glue-failed', 'Jobs of Glue that failed', {
      source: ['aws.glue'],
      detailType: ['Glue Job State Change'],
      detail: { jobName: [...glueJobs], state: ['FAILED', 'TIMEOUT', 'ERROR'] },
      says: `The job ${field('jobName')} ended as ${field('state')} (run ${field('jobRunId')}): ${field('message')}`,
    })
    this.#notice('glue-failed', 'Crawls that failed', {
      source: ['aws.glue'],
      detailType: ['Glue Crawler State Change'],
      detail: { crawlerName: [crawler], state: ['Failed'] },
      says: `The crawler ${field('crawlerName')} failed: ${field('errorMessage')}`,
    })
  }

  #notice(
    name: Notice,
    description: string,
    given: { source: string[]; detailType: string[]; detail: Record<string, unknown>; says: string },
  ): void {
    const { says, ...eventPattern } = given
    const id = this.node.tryFindChild(name) === undefined ? name : `${name}-2`
    const rule = new Rule(this, id, { description: `${description}. Then: ${runbook(name)}`, eventPattern })
    const message = RuleTargetInput.fromText(`[ticket] ${says} Then: ${runbook(name)}`)
    rule.addTarget(new SnsTopic(this.#topics.ticket, { message }))
  }
}
