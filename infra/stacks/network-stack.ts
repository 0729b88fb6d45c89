import { Stack, type StackProps } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import type { StageSettings } from '../stages.ts'

export interface NetworkStackProps extends StackProps {
  readonly settings: StageSettings
}

/** Who may talk to whom. All groups and rules are here, so that no stack has to change a group of another one. */
export interface NetworkGroups {
  /** The load balancer; only where `compute` is `fargate`. */
  readonly balancer: ec2.SecurityGroup
  /** Tasks that answer requests. */
  readonly service: ec2.SecurityGroup
  /** Tasks that run to their end: migrate, snapshot, care. */
  readonly tasks: ec2.SecurityGroup
  /** The function of `compute: 'lambda'`. */
  readonly function: ec2.SecurityGroup
  /** Functions that rotate passwords. */
  readonly rotation: ec2.SecurityGroup
  /** Jobs of Glue that read the database; its members may talk to each other, as Spark needs. */
  readonly glue: ec2.SecurityGroup
  readonly database: ec2.SecurityGroup
}

export class NetworkStack extends Stack {
  readonly vpc: ec2.Vpc
  readonly groups: NetworkGroups

  constructor(scope: Construct, id: string, { settings, ...props }: NetworkStackProps) {
    super(scope, id, props)
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(settings.cidr),
      maxAzs: settings.zones,
      natGateways: settings.natGateways,
    })
    const group = (name: string, description: string) =>
      new ec2.SecurityGroup(this, `${name}Group`, { vpc: this.vpc, description, allowAllOutbound: false })
    this.groups = {
      balancer: group('Balancer', 'Load balancer'),
      service: group('Service', 'Tasks that answer requests'),
      tasks: group('Tasks', 'Tasks that run to their end'),
      function: group('Function', 'The function that answers requests'),
      rotation: group('Rotation', 'Functions that rotate passwords'),
      glue: group('Glue', 'Jobs of Glue that read the database'),
      database: group('Database', 'The database'),
    }
  }
}
