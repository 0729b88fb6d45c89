import * as ecs from 'aws-cdk-lib/aws-ecs'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { DATABASE_NAME, type DatabaseStack } from '../stacks/database-stack.ts'
import { DATABASE_PORT } from '../stacks/network-stack.ts'

/** In the image: the certificates by which RDS proves who it is. */
const RDS_CERTIFICATES = '/app/rds-ca.pem'

export interface ProgramSettings {
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, ecs.Secret>>
}

/** Where the database is, and whom the program logs in as: user and password come from one version of one secret. */
export function databaseSettings({ instance }: DatabaseStack, user: secretsmanager.ISecret): ProgramSettings {
  return {
    environment: {
      DATABASE_HOST: instance.dbInstanceEndpointAddress,
      DATABASE_PORT: String(DATABASE_PORT),
      DATABASE_NAME,
      DATABASE_SSL_CA: RDS_CERTIFICATES,
    },
    secrets: userSecrets('DATABASE', user),
  }
}

/** `<PREFIX>_USER` and `<PREFIX>_PASSWORD`, field by field. */
export function userSecrets(prefix: string, user: secretsmanager.ISecret): Record<string, ecs.Secret> {
  return {
    [`${prefix}_USER`]: ecs.Secret.fromSecretsManager(user, 'username'),
    [`${prefix}_PASSWORD`]: ecs.Secret.fromSecretsManager(user, 'password'),
  }
}
