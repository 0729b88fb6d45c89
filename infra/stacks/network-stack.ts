import { Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { PrivateEndpoints } from '../constructs/private-endpoints.ts'
import type { StageSettings } from '../stages.ts'

/** Where the program answers, in a container. */
export const SERVICE_PORT = 3000
export const DATABASE_PORT = 5432

export interface NetworkStackProps extends StackProps {
  readonly settings: StageSettings
}

/** Who may talk to whom. All groups and rules are here, so that no stack has to change a group of another one. */
export interface NetworkGroups {
  /** The load balancer, where `compute` is `fargate`. */
  readonly balancer: ec2.SecurityGroup | undefined
  /** What answers requests: tasks, or the function. */
  readonly service: ec2.SecurityGroup
  /** Tasks that run to their end: migrate, snapshot, care. */
  readonly tasks: ec2.SecurityGroup
  /** Functions that rotate passwords. */
  readonly rotation: ec2.SecurityGroup
  /** Jobs of Glue that read the database; its members may talk to each other, as Spark needs. */
  readonly glue: ec2.SecurityGroup
  readonly database: ec2.SecurityGroup
}

/** The VPC: public subnets for what has an address in the internet, private ones for programs, isolated ones for the database. */
export class NetworkStack extends Stack {
  readonly vpc: ec2.Vpc
  readonly groups: NetworkGroups
  readonly #zones: number

  constructor(scope: Construct, id: string, { settings, ...props }: NetworkStackProps) {
    super(scope, id, props)
    this.#zones = settings.zones
    this.vpc = this.#network(settings)
    this.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 })
    if (settings.privateEndpoints) new PrivateEndpoints(this, 'Endpoints', { vpc: this.vpc, cidr: settings.cidr })
    this.groups = this.#securityGroups(settings)
    this.#allow(settings)
  }

  /** Without an account in the environment the framework would stop at two. */
  override get availabilityZones(): string[] {
    return Array.from({ length: this.#zones }, (_, zone) => Fn.select(zone, Fn.getAzs()))
  }

  #network({ cidr, zones, natGateways }: StageSettings): ec2.Vpc {
    const flows = new logs.LogGroup(this, 'Flows', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const subnets = (name: string, subnetType: ec2.SubnetType, cidrMask: number) => ({ name, subnetType, cidrMask })
    return new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      maxAzs: zones,
      natGateways,
      subnetConfiguration: [
        { ...subnets('public', ec2.SubnetType.PUBLIC, 24), mapPublicIpOnLaunch: false },
        subnets('private', ec2.SubnetType.PRIVATE_WITH_EGRESS, 20),
        subnets('isolated', ec2.SubnetType.PRIVATE_ISOLATED, 24),
      ],
      flowLogs: { all: { destination: ec2.FlowLogDestination.toCloudWatchLogs(flows) } },
    })
  }

  #securityGroups({ compute }: StageSettings): NetworkGroups {
    const group = (name: string, description: string) =>
      new ec2.SecurityGroup(this, `${name}Group`, { vpc: this.vpc, description, allowAllOutbound: false })
    return {
      balancer: compute === 'fargate' ? group('Balancer', 'Load balancer') : undefined,
      service: group('Service', 'What answers requests'),
      tasks: group('Tasks', 'Tasks that run to their end'),
      rotation: group('Rotation', 'Functions that rotate passwords'),
      glue: group('Glue', 'Jobs of Glue that read the database'),
      database: group('Database', 'The database'),
    }
  }

  #allow({ cidr, service: { callers }, warehouse }: StageSettings): void {
    const { balancer, service, tasks, rotation, glue, database } = this.groups
    const postgres = ec2.Port.tcp(DATABASE_PORT)
    for (const client of [service, tasks, rotation, glue]) {
      client.addEgressRule(database, postgres, 'The database')
      database.addIngressRule(client, postgres, 'The database')
      // S3 by its gateway, other AWS APIs by their endpoints or the NAT: none of them has fixed addresses.
      client.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'AWS APIs')
    }
    glue.addIngressRule(glue, ec2.Port.allTcp(), 'Workers of one job')
    glue.addEgressRule(glue, ec2.Port.allTcp(), 'Workers of one job')
    if (warehouse?.target === 'postgres') glue.addEgressRule(ec2.Peer.ipv4(cidr), postgres, 'The warehouse')
    if (balancer === undefined) return
    const answers = ec2.Port.tcp(SERVICE_PORT)
    balancer.addEgressRule(service, answers, 'Requests')
    service.addIngressRule(balancer, answers, 'Requests')
    for (const caller of callers) {
      balancer.addIngressRule(ec2.Peer.ipv4(caller), ec2.Port.HTTPS, 'Callers')
    }
  }
}
