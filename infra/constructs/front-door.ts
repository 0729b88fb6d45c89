import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import * as acm from 'aws-cdk-lib/aws-certificatemanager'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as ssm from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import { accept } from '../nag.ts'
import { type NetworkStack, SERVICE_PORT } from '../stacks/network-stack.ts'
import type { StageSettings } from '../stages.ts'
import { WebFirewall } from './web-firewall.ts'

/** Shorter than the program keeps a connection that nobody uses (65 s): the balancer must be the one that closes. */
export const IDLE_SECONDS = 60
/** A stream that runs when its task has to go may end for so long; the task gets SIGTERM after it. */
export const DRAIN_SECONDS = 120
const LOG_DAYS = 90

/**
 * A target is given up after so many probes in a row, and ECS replaces its task: after five minutes, as a failover of the database
 * takes up to two, during which every task says that it is not ready. Replacing them would only add a start to it. What asks
 * whether a process lives is the container's own check.
 */
export const PROBE_SECONDS = 30
export const PROBES_UNTIL_GONE = 10

export interface FrontDoorProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
}

/** What callers reach: a load balancer with TLS and a firewall, and what it sends requests to. */
export class FrontDoor extends Construct {
  readonly loadBalancer: elb.ApplicationLoadBalancer
  readonly targetGroup: elb.ApplicationTargetGroup
  readonly firewall: WebFirewall

  constructor(scope: Construct, id: string, { settings, network }: FrontDoorProps) {
    super(scope, id)
    if (settings.domain === undefined) {
      throw new Error(`The stage ${settings.name} has no domain: API keys do not travel without TLS`)
    }
    this.loadBalancer = this.#balancer(settings, network)
    this.targetGroup = this.#targets(network)
    const certificate = ssm.StringParameter.valueForStringParameter(this, settings.domain.certificateParameter)
    this.loadBalancer.addListener('Https', {
      port: 443,
      protocol: elb.ApplicationProtocol.HTTPS,
      // No listener for HTTP that redirects: the request that is redirected has shown its key already.
      certificates: [acm.Certificate.fromCertificateArn(this, 'Certificate', certificate)],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      defaultTargetGroups: [this.targetGroup],
      open: false,
    })
    this.firewall = new WebFirewall(this, 'Firewall', {
      stage: settings.name,
      resourceArn: this.loadBalancer.loadBalancerArn,
    })
  }

  #balancer(settings: StageSettings, { vpc, groups }: NetworkStack): elb.ApplicationLoadBalancer {
    if (groups.balancer === undefined)
      throw new Error(`The network of ${settings.name} has no place for a load balancer`)
    const { PUBLIC, PRIVATE_WITH_EGRESS } = ec2.SubnetType
    const balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: settings.service.public,
      vpcSubnets: { subnetType: settings.service.public ? PUBLIC : PRIVATE_WITH_EGRESS },
      securityGroup: ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', groups.balancer.securityGroupId, {
        mutable: false,
      }),
      idleTimeout: Duration.seconds(IDLE_SECONDS),
      dropInvalidHeaderFields: true,
      desyncMitigationMode: elb.DesyncMitigationMode.STRICTEST,
      deletionProtection: settings.database.protected,
    })
    balancer.logAccessLogs(this.#accessLogs(), 'requests')
    return balancer
  }

  #accessLogs(): s3.Bucket {
    const bucket = new s3.Bucket(this, 'AccessLogs', {
      // The only encryption that the balancer can write with.
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'expire-access-logs', expiration: Duration.days(LOG_DAYS) },
        { id: 'abort-forgotten-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    accept(bucket, {
      rule: 'AwsSolutions-S1',
      reason:
        'It holds the access logs of the load balancer, which alone writes to it; logs of reading logs would have no end.',
    })
    return bucket
  }

  #targets({ vpc }: NetworkStack): elb.ApplicationTargetGroup {
    return new elb.ApplicationTargetGroup(this, 'Targets', {
      vpc,
      port: SERVICE_PORT,
      protocol: elb.ApplicationProtocol.HTTP,
      protocolVersion: elb.ApplicationProtocolVersion.HTTP1,
      targetType: elb.TargetType.IP,
      // An import takes minutes, a look-up milliseconds: whoever has least to do gets the next one.
      loadBalancingAlgorithmType: elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(DRAIN_SECONDS),
      healthCheck: {
        path: '/readyz',
        healthyHttpCodes: '200',
        interval: Duration.seconds(PROBE_SECONDS),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: PROBES_UNTIL_GONE,
      },
    })
  }
}
