import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import * as rds from 'aws-cdk-lib/aws-rds'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { accept } from '../nag.ts'

/** The users hold `username`, `password`, `host`, `port`, `dbname`; the keys are 64 hex digits each, the secret's whole text. */
export interface Secrets {
  readonly owner: secretsmanager.ISecret
  readonly service: secretsmanager.ISecret
  readonly exporter: secretsmanager.ISecret
  readonly apiKeyPepper: secretsmanager.ISecret
  readonly cursorKey: secretsmanager.ISecret
  readonly pseudonymKey: secretsmanager.ISecret
}

/**
 * After so many days a user gets a new password. With two users that take turns, what a running process was started with holds for
 * one rotation more; see RESTART_DAYS of the service.
 */
export const ROTATION_DAYS = 30

const HEX_DIGITS = 64

export interface DatabaseSecretsProps {
  readonly key: kms.Key
  /** With its owner's secret. */
  readonly instance: rds.DatabaseInstance
  /** Of the functions that set new passwords. */
  readonly rotation: ec2.ISecurityGroup
  /** What becomes of the keys that no rotation makes anew; whoever loses them loses every API key, cursor or pseudonym. */
  readonly removalPolicy: RemovalPolicy
}

/** Libraries, URLs and shells trip over these. */
export const NOT_IN_PASSWORDS = ' %+~`#$&*()|[]{}:;<>?!\'/@"\\'

/** 32 random bytes in hex. A person changes them: what was made with them would end with them. */
function randomKey(scope: Construct, id: string, description: string, props: DatabaseSecretsProps) {
  const secret = new secretsmanager.Secret(scope, id, {
    description,
    encryptionKey: props.key,
    removalPolicy: props.removalPolicy,
    generateSecretString: {
      passwordLength: HEX_DIGITS,
      excludeUppercase: true,
      excludePunctuation: true,
      includeSpace: false,
      requireEachIncludedType: false,
      excludeCharacters: 'ghijklmnopqrstuvwxyz',
    },
  })
  accept(secret, {
    rule: 'AwsSolutions-SMG4',
    reason:
      'What was made with this key would end with it (every API key, every cursor, every pseudonym), so the old one has to be known beside the new one for a while that only a person can tell: docs/deploy.md and docs/snapshots.md have the steps.',
  })
  return secret
}

const mapValues = <Key extends string, From, To>(from: Record<Key, From>, to: (value: From, key: Key) => To) =>
  Object.fromEntries(Object.entries<From>(from).map(([key, value]) => [key, to(value, key as Key)])) as Record<Key, To>

/** Whoever may read a secret may have it decrypted, by Secrets Manager and nobody else, as with the key that AWS manages for it. */
function allowBySecretsManager(key: kms.Key): void {
  const { account, region } = Stack.of(key)
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'BySecretsManager',
      principals: [new iam.AnyPrincipal()],
      actions: ['kms:Decrypt', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
      },
    }),
  )
}

/** Users and keys of the program, and the rotation of the users' passwords. */
export class DatabaseSecrets extends Construct {
  readonly secrets: Secrets

  constructor(scope: Construct, id: string, props: DatabaseSecretsProps) {
    super(scope, id)
    const { instance, key, rotation: securityGroup } = props
    const owner = instance.secret
    if (owner === undefined) throw new Error('The instance needs the secret of its owner: give it credentials')
    const user = (name: string, username: string) =>
      new rds.DatabaseSecret(this, name, {
        username,
        encryptionKey: key,
        masterSecret: owner,
        excludeCharacters: NOT_IN_PASSWORDS,
      }).attach(instance)
    const service = user('Service', 'accounts_service')
    const exporter = user('Exporter', 'accounts_exporter')
    const all = {
      owner,
      service,
      exporter,
      apiKeyPepper: randomKey(this, 'ApiKeyPepper', 'API_KEY_PEPPER: what API keys are hashed with', props),
      cursorKey: randomKey(this, 'CursorKey', 'CURSOR_KEY: what cursors of lists are signed with', props),
      pseudonymKey: randomKey(this, 'PseudonymKey', 'LAKE_PSEUDONYM_KEY: what pseudonyms are made with', props),
    }
    this.secrets = mapValues(all, (secret, name) =>
      // By their names only: a role of another stack that may read one gets that in its own policy, and none in ours.
      secretsmanager.Secret.fromSecretAttributes(this, `${name}Reference`, { secretCompleteArn: secret.secretArn }),
    )
    allowBySecretsManager(key)
    const rotation = {
      automaticallyAfter: Duration.days(ROTATION_DAYS),
      securityGroup,
      // They call Secrets Manager: from where the database stands there is no way to it.
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      excludeCharacters: NOT_IN_PASSWORDS,
      // Before the first `migrate` the users are not there yet: what is tried then is a log-in, which fails without harm.
      rotateImmediatelyOnUpdate: false,
    }
    // Nothing runs as the owner but `migrate`, which gets the password as it starts.
    instance.addRotationSingleUser(rotation)
    // Two users take turns: `accounts_service` and `accounts_service_clone`, a member of the first.
    instance.addRotationMultiUser('ServiceRotation', { ...rotation, secret: service })
    instance.addRotationMultiUser('ExporterRotation', { ...rotation, secret: exporter })
  }
}
