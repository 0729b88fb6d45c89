import { Stack } from 'aws-cdk-lib'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as sns from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'

/**
 * Services that tell the topics something, and whether they say for which account: EventBridge and RDS do not where they use a
 * key, so a condition would silence them.
 */
const SENDERS = {
  'cloudwatch.amazonaws.com': { topic: true, key: true },
  'events.rds.amazonaws.com': { topic: true, key: false },
  'events.amazonaws.com': { topic: false, key: false },
} as const

/** `page` wakes somebody: callers or analysts are harmed, or soon will be. `ticket` is for the next working day. */
export type Severity = 'page' | 'ticket'

export interface AlarmTopicsProps {
  readonly prefix: string
  readonly email: string
}

/**
 * Where alarms go: a topic for what wakes somebody, one for the rest. Both are encrypted with a key of their own, since the key that
 * AWS manages for SNS lets no other service of AWS send.
 */
export class AlarmTopics extends Construct {
  readonly page: sns.Topic
  readonly ticket: sns.Topic

  constructor(scope: Construct, id: string, { prefix, email }: AlarmTopicsProps) {
    super(scope, id)
    const account = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } }
    const key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: 'Alarms and notices of RocketGames Accounts on their way',
      alias: `${prefix}-alarms`,
    })
    const allow = (what: 'topic' | 'key', actions: readonly string[], resource: string) =>
      Object.entries(SENDERS).map(
        ([sender, tells]) =>
          new iam.PolicyStatement({
            principals: [new iam.ServicePrincipal(sender)],
            actions: [...actions],
            resources: [resource],
            ...(tells[what] ? { conditions: account } : {}),
          }),
      )
    for (const each of allow('key', ['kms:Decrypt', 'kms:GenerateDataKey'], '*')) key.addToResourcePolicy(each)
    const topic = (name: Severity) => {
      const made = new sns.Topic(this, name, { topicName: `${prefix}-${name}`, masterKey: key, enforceSSL: true })
      made.addSubscription(new EmailSubscription(email))
      for (const each of allow('topic', ['sns:Publish'], made.topicArn)) made.addToResourcePolicy(each)
      return made
    }
    this.page = topic('page')
    this.ticket = topic('ticket')
  }

  action(severity: Severity): SnsAction {
    return new SnsAction(this[severity])
  }
}
