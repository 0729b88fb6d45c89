import { Duration, Stack } from 'aws-cdk-lib'
import * as events from 'aws-cdk-lib/aws-events'
import * as glue from 'aws-cdk-lib/aws-glue'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { MANIFESTS_PREFIX } from '../../src/lake/object-keys.ts'
import { accept } from '../nag.ts'
import { glueArn } from './catalogue-arns.ts'
import type { GlueJob } from './glue-job.ts'

/** Manifests come one by one; a second one within this time, as when recovery finishes several, joins the first one's run. */
const BATCH_SECONDS = 300
const EVENTS_PER_RUN = 5
const LONGEST_EVENT_AGE = Duration.hours(2)

export interface CurateWorkflowProps {
  readonly name: string
  readonly lake: IBucket
  readonly curate: GlueJob
  /** Runs after each curate job that has succeeded. */
  readonly load?: GlueJob | undefined
}

/** A snapshot's manifest is its commit: when one appears the curated tables are made, and after them the warehouse is loaded. */
export class CurateWorkflow extends Construct {
  readonly workflow: glue.CfnWorkflow
  /** Events that Glue did not take. */
  readonly deadLetters: sqs.Queue

  constructor(scope: Construct, id: string, props: CurateWorkflowProps) {
    super(scope, id)
    const { curate, load, name } = props
    this.workflow = new glue.CfnWorkflow(this, 'Workflow', {
      name,
      description: 'After a snapshot: curated tables, then the warehouse',
      // Jobs of two runs would meet; what the second one misses, the next one takes in.
      maxConcurrentRuns: 1,
    })
    const start = new glue.CfnTrigger(this, 'AfterSnapshot', {
      name: `${name}-after-snapshot`,
      type: 'EVENT',
      workflowName: name,
      actions: [{ jobName: curate.name }],
      eventBatchingCondition: { batchSize: EVENTS_PER_RUN, batchWindow: BATCH_SECONDS },
    })
    // Glue makes no trigger of a job that is not there, and one at a time for a workflow.
    for (const each of [this.workflow, curate.job]) start.addResourceDependency(each)
    if (load !== undefined) {
      const next = new glue.CfnTrigger(this, 'AfterCurate', {
        name: `${name}-after-curate`,
        type: 'CONDITIONAL',
        workflowName: name,
        startOnCreation: true,
        actions: [{ jobName: load.name }],
        predicate: { conditions: [{ jobName: curate.name, logicalOperator: 'EQUALS', state: 'SUCCEEDED' }] },
      })
      for (const each of [start, load.job]) next.addResourceDependency(each)
    }
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod: Duration.days(14),
    })
    accept(this.deadLetters, { rule: 'AwsSolutions-SQS3', reason: 'It is the dead-letter queue of the rule' })
    this.#rule(props)
  }

  #rule({ lake, name }: CurateWorkflowProps): void {
    const workflowArn = glueArn(this, `workflow/${name}`)
    const role = new iam.Role(this, 'NotifyRole', {
      assumedBy: new iam.ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Tells the workflow of a new snapshot',
    })
    role.addToPolicy(new iam.PolicyStatement({ sid: 'Tell', actions: ['glue:notifyEvent'], resources: [workflowArn] }))
    const rule = new events.Rule(this, 'SnapshotCommitted', {
      description: 'The manifest of a snapshot was written',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [lake.bucketName] }, object: { key: events.Match.prefix(MANIFESTS_PREFIX) } },
      },
    })
    rule.addTarget({
      bind: () => ({
        arn: workflowArn,
        role,
        deadLetterConfig: { arn: this.deadLetters.queueArn },
        retryPolicy: { maximumEventAgeInSeconds: LONGEST_EVENT_AGE.toSeconds(), maximumRetryAttempts: 24 },
      }),
    })
    this.deadLetters.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.deadLetters.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
      }),
    )
  }
}
