import { Stack, type StackProps } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as rds from 'aws-cdk-lib/aws-rds'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import type { StageSettings } from '../stages.ts'
import type { NetworkStack } from './network-stack.ts'

export interface DatabaseStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
}

/** The users hold `username`, `password`, `host`, `port`, `dbname`; the keys are 64 hex digits each, the secret's whole text. */
export interface DatabaseSecrets {
  readonly owner: secretsmanager.ISecret
  readonly service: secretsmanager.ISecret
  readonly exporter: secretsmanager.ISecret
  readonly apiKeyPepper: secretsmanager.ISecret
  readonly cursorKey: secretsmanager.ISecret
  readonly pseudonymKey: secretsmanager.ISecret
}

export const DATABASE_NAME = 'accounts'

export class DatabaseStack extends Stack {
  readonly instance: rds.DatabaseInstance
  readonly secrets: DatabaseSecrets

  constructor(scope: Construct, id: string, { settings, network, ...props }: DatabaseStackProps) {
    super(scope, id, props)
    const user = (name: string, username: string) => new rds.DatabaseSecret(this, name, { username })
    const key = (name: string) => new secretsmanager.Secret(this, name)
    const owner = user('Owner', 'accounts_owner')
    this.instance = new rds.DatabaseInstance(this, 'Instance', {
      vpc: network.vpc,
      securityGroups: [network.groups.database],
      instanceType: new ec2.InstanceType(settings.database.instance),
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      credentials: rds.Credentials.fromSecret(owner),
      databaseName: DATABASE_NAME,
    })
    this.secrets = {
      owner,
      service: user('Service', 'accounts_service').attach(this.instance),
      exporter: user('Exporter', 'accounts_exporter').attach(this.instance),
      apiKeyPepper: key('ApiKeyPepper'),
      cursorKey: key('CursorKey'),
      pseudonymKey: key('PseudonymKey'),
    }
  }
}
