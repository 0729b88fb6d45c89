import { RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import * as logs from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'

export interface GlueLogsProps {
  /** As Glue names them, see below. */
  readonly names: readonly string[]
  readonly key: IKey
}

/**
 * Log groups of a job or a crawler, made before its first run: Glue would make them itself, and keep them for ever. Should Glue name one
 * differently some day, that one is made by Glue as before, which its role may do.
 *
 * Give a role that CloudFormation names: its name is in those of the groups, and a group that is there already, of another stage or made by
 * Glue, would fail the deployment.
 */
export class GlueLogs extends Construct {
  constructor(scope: Construct, id: string, { names, key }: GlueLogsProps) {
    super(scope, id)
    for (const [index, logGroupName] of names.entries()) {
      new logs.LogGroup(this, `Group-${index + 1}`, {
        logGroupName,
        encryptionKey: key,
        retention: logs.RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      })
    }
  }
}

/** AWS Glue Developer Guide, "Logging for AWS Glue jobs": log group naming with security configuration. */
export const jobLogGroups = (configuration: string, role: string): string[] =>
  ['error', 'output'].map((stream) => `/aws-glue/jobs/${configuration}-role/${role}/${stream}`)

export const crawlerLogGroups = (configuration: string, role: string): string[] => [
  `/aws-glue/crawlers-role/${role}-${configuration}`,
]
