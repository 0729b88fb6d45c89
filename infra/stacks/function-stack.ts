import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import * as acm from 'aws-cdk-lib/aws-certificatemanager'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as logs from 'aws-cdk-lib/aws-logs'
import * as ssm from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { ApiFunction } from '../constructs/api-function.ts'
import { databaseSettings } from '../constructs/program-settings.ts'
import { ProgramTask } from '../constructs/program-task.ts'
import { TaskSchedule } from '../constructs/task-schedule.ts'
import { accept } from '../nag.ts'
import type { StageSettings } from '../stages.ts'
import type { ApiStackProps } from './api-stack-props.ts'

/** Requests that the gateway lets through, of all callers; quotas of single keys are the program's. */
const REQUESTS_PER_SECOND = 200
const BURST = 400
/** Jobs wait for the next start of the task that does them. */
const WORK_CRON = '*/5 * * * *'
/** Uncompressed, of an export that is a job: compressed, a part fits into the answer of a function. */
const EXPORT_PART_MIB = '16'

/** The API as a function behind API Gateway, and the task that does what a function cannot: jobs. */
export class FunctionStack extends Stack {
  readonly function: ApiFunction['function']
  readonly logGroup: logs.LogGroup
  readonly api: apigateway.HttpApi
  readonly apiStage: apigateway.HttpStage
  readonly workTask: ProgramTask
  readonly schedule: TaskSchedule['schedule']

  constructor(scope: Construct, id: string, given: ApiStackProps) {
    const { settings, network, database, lake, cluster, tasks, ...props } = given
    super(scope, id, props)
    if (!settings.service.public) {
      throw new Error(`The stage ${settings.name}: an HTTP API of API Gateway has an address in the internet, always`)
    }
    const { service, apiKeyPepper, cursorKey } = database.secrets
    const { environment } = databaseSettings(database, service)
    const api = new ApiFunction(this, 'Api', {
      settings,
      vpc: network.vpc,
      // Its rules stand in the network's stack.
      securityGroup: ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', network.groups.service.securityGroupId, {
        mutable: false,
      }),
      environment: { ...environment, DATABASE_SSL_CA: '/var/task/rds-ca.pem', ...lake.settings, ...tasks.settings },
      secrets: {
        DATABASE_USER: { secret: service, field: 'username' },
        DATABASE_PASSWORD: { secret: service, field: 'password' },
        API_KEY_PEPPER: { secret: apiKeyPepper },
        CURSOR_KEY: { secret: cursorKey },
      },
    })
    lake.grantQuery(api.role)
    tasks.grantStart(api.role)
    this.function = api.function
    this.logGroup = api.logGroup
    this.api = this.#gateway(settings)
    this.apiStage = this.#stage(settings)
    this.workTask = this.#work(given)
    const work = new TaskSchedule(this, 'WorkSchedule', {
      description: 'Jobs of the API: imports and exports',
      cron: WORK_CRON,
      zone: 'UTC',
      cluster: cluster.cluster,
      task: this.workTask,
      command: workCommand(),
      securityGroup: network.groups.tasks,
      deadLetters: tasks.deadLetters,
      maxAge: Duration.minutes(5),
    })
    this.schedule = work.schedule
    new CfnOutput(this, 'ApiUrl', { value: settings.domain ? `https://${settings.domain.name}` : this.apiStage.url })
    new CfnOutput(this, 'WorkTask', { value: this.workTask.family })
  }

  #gateway({ name, domain }: StageSettings): apigateway.HttpApi {
    const api = new apigateway.HttpApi(this, 'Gateway', {
      apiName: `rocketgames-accounts-${name}`,
      description: 'RocketGames Accounts',
      createDefaultStage: false,
      // Beside a name of its own the one of AWS would be a second door.
      disableExecuteApiEndpoint: domain !== undefined,
      defaultIntegration: new HttpLambdaIntegration('Function', this.function, {
        payloadFormatVersion: apigateway.PayloadFormatVersion.VERSION_2_0,
      }),
    })
    accept(api, {
      rule: 'AwsSolutions-APIG4',
      reason:
        'The program checks a key with every request, as it does behind a load balancer: keys have scopes for single operations, are counted and can be revoked at once, which an authorizer of the gateway would only repeat. Open are the probes and the documentation.',
    })
    return api
  }

  #stage({ name, domain }: StageSettings): apigateway.HttpStage {
    const log = new logs.LogGroup(this, 'AccessLog', {
      // Of log groups with this prefix API Gateway may write into as many as there are.
      logGroupName: `/aws/vendedlogs/rocketgames-accounts/${name}/gateway`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: REQUESTS_PER_SECOND, burstLimit: BURST },
      detailedMetricsEnabled: true,
      // As the program's own log: no path, no query, no address, as all of them may hold personal data.
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(log),
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            method: AccessLogField.contextHttpMethod(),
            status: AccessLogField.contextStatus(),
            bytes: AccessLogField.contextResponseLength(),
            ms: AccessLogField.contextResponseLatency(),
            functionMs: AccessLogField.contextIntegrationLatency(),
            functionRequestId: '$context.integration.requestId',
            error: AccessLogField.contextErrorMessage(),
            functionError: '$context.integration.error',
          }),
        ),
      },
      ...(domain === undefined ? {} : { domainMapping: { domainName: this.#domain(domain) } }),
    })
    return stage
  }

  #domain({ name, certificateParameter }: NonNullable<StageSettings['domain']>): apigateway.DomainName {
    const arn = ssm.StringParameter.valueForStringParameter(this, certificateParameter)
    const domain = new apigateway.DomainName(this, 'Domain', {
      domainName: name,
      certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', arn),
      securityPolicy: apigateway.SecurityPolicy.TLS_1_2,
    })
    new CfnOutput(this, 'DomainTarget', { value: domain.regionalDomainName })
    return domain
  }

  #work({ settings, database, cluster, lake, tasks }: ApiStackProps): ProgramTask {
    const { environment, secrets } = databaseSettings(database, database.secrets.service)
    return new ProgramTask(this, 'Work', {
      settings,
      image: cluster.image,
      command: workCommand(),
      cpu: 256,
      memoryMiB: 512,
      // It calls nothing of the lake: the settings tell how old a snapshot may be, for the metrics that it writes.
      environment: { ...environment, ...lake.settings, ...tasks.settings, METRICS: 'emf' },
      secrets,
    })
  }
}

const workCommand = () => ['work', '--until-idle', '--export-part-mib', EXPORT_PART_MIB]
