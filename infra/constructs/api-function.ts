import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { ArnFormat, AssetHashType, DockerImage, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { accept } from '../nag.ts'
import { ROOT } from '../root.ts'
import type { StageSettings } from '../stages.ts'

/** A setting that is a secret, or a field of one. */
export interface SecretSetting {
  readonly secret: secretsmanager.ISecret
  readonly field?: string
}

export interface ApiFunctionProps {
  readonly settings: StageSettings
  readonly vpc: ec2.IVpc
  readonly securityGroup: ec2.ISecurityGroup
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, SecretSetting>>
}

/** Below the 30 s that an HTTP API waits: the function answers first, with a problem that says what to do. */
export const FUNCTION_SECONDS = 29
/** Connections of one function: one for its request, one for what that does beside. */
const CONNECTIONS = 2
/** Functions at once: with their connections less than half of what the smallest database takes (t4g.small: about 180). */
const AT_ONCE = 40
/** How long a function goes on with a password that was replaced; a rotation leaves the former user its password for longer. */
const SECRETS_KEPT_SECONDS = 300

/** What a function must do to stand in a VPC; what it runs must not. */
const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]

/** The API as one function, bundled from the sources when the app is synthesised. */
export class ApiFunction extends Construct {
  readonly function: lambda.Function
  readonly role: iam.Role
  readonly logGroup: logs.LogGroup

  constructor(scope: Construct, id: string, props: ApiFunctionProps) {
    super(scope, id)
    const { settings, secrets } = props
    const functionName = `rocketgames-accounts-${settings.name}`
    this.logGroup = new logs.LogGroup(this, 'Log', {
      logGroupName: `/rocketgames-accounts/${settings.name}/function`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.role = this.#role(functionName)
    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: 'RocketGames Accounts: the API',
      runtime: lambda.Runtime.NODEJS_24_X,
      // Twice the work for the same money; nothing in the bundle is compiled for a machine.
      architecture: lambda.Architecture.ARM_64,
      handler: 'lambda.handler',
      code: lambda.Code.fromAsset(BUNDLE_SOURCE, BUNDLE),
      memorySize: settings.service.memoryMiB,
      timeout: Duration.seconds(FUNCTION_SECONDS),
      reservedConcurrentExecutions: AT_ONCE,
      role: this.role,
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [props.securityGroup],
      logGroup: this.logGroup,
      tracing: settings.tracing ? lambda.Tracing.ACTIVE : lambda.Tracing.DISABLED,
      paramsAndSecrets: lambda.ParamsAndSecretsLayerVersion.fromVersion(lambda.ParamsAndSecretsVersions.V1_0_103, {
        secretsManagerTtl: Duration.seconds(SECRETS_KEPT_SECONDS),
      }),
      environment: {
        STAGE: settings.name,
        LOG_LEVEL: 'info',
        METRICS: 'emf',
        MIGRATE_AT_START: 'off',
        DATABASE_POOL: String(CONNECTIONS),
        MAX_STREAMS: '1',
        ...props.environment,
        FUNCTION_SECRETS: Stack.of(this).toJsonString(
          Object.fromEntries(
            Object.entries(secrets).map(([name, { secret, field }]) => [
              name,
              { secret: secret.secretArn, ...(field === undefined ? {} : { field }) },
            ]),
          ),
        ),
      },
    })
    for (const secret of new Set(Object.values(secrets).map((each) => each.secret))) secret.grantRead(this.role)
  }

  #role(functionName: string): iam.Role {
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
    this.logGroup.grantWrite(role)
    role.addToPolicy(
      new iam.PolicyStatement({ sid: 'StandInTheNetwork', actions: NETWORK_INTERFACES, resources: ['*'] }),
    )
    // Lambda makes the interfaces under this role, before the code runs; calls of the code name the function.
    const functionArn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'ButNotByItsCode',
        effect: iam.Effect.DENY,
        actions: NETWORK_INTERFACES,
        resources: ['*'],
        conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
      }),
    )
    accept(role, {
      rule: 'AwsSolutions-IAM5',
      finding: 'Resource::*',
      reason:
        'Network interfaces of a function in a VPC have no names before Lambda makes them, so IAM takes nothing but * here; a second statement denies the same actions to the code that runs in the function.',
    })
    return role
  }
}

/**
 * The bundle. Its hash is that of what comes out of it: what goes in is all of `src` and half of `node_modules`, and by a hash of less
 * a new version would be taken for the one that is deployed.
 */
export const BUNDLE = {
  assetHashType: AssetHashType.OUTPUT,
  bundling: {
    // Never used: the bundler is a package of this repository.
    image: DockerImage.fromRegistry('none'),
    local: {
      tryBundle(folder: string) {
        execFileSync(process.execPath, [path.join(ROOT, 'scripts/bundle-function.ts'), folder], {
          stdio: ['ignore', 'ignore', 'inherit'],
        })
        return true
      },
    },
  },
} as const

/** CDK wants a folder that the bundle is made of. */
export const BUNDLE_SOURCE = path.join(ROOT, 'src/lambda')
