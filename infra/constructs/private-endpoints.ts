import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'

const { InterfaceVpcEndpointAwsService: Api } = ec2

/** Every API that tasks, the function, jobs of Glue and rotations call, beside S3. */
const SERVICES = {
  Secrets: Api.SECRETS_MANAGER,
  Keys: Api.KMS,
  Logs: Api.CLOUDWATCH_LOGS,
  Images: Api.ECR,
  ImageLayers: Api.ECR_DOCKER,
  Tasks: Api.ECS,
  Glue: Api.GLUE,
  Athena: Api.ATHENA,
} as const

/** AWS APIs at addresses of the VPC: what speaks to them needs no way into the internet. */
export class PrivateEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, cidr }: { readonly vpc: ec2.IVpc; readonly cidr: string }) {
    super(scope, id)
    const group = new ec2.SecurityGroup(this, 'Group', {
      vpc,
      description: 'AWS APIs in the VPC',
      allowAllOutbound: false,
    })
    group.addIngressRule(ec2.Peer.ipv4(cidr), ec2.Port.HTTPS, 'HTTPS from the VPC')
    for (const [name, service] of Object.entries(SERVICES)) {
      vpc.addInterfaceEndpoint(name, {
        service,
        privateDnsEnabled: true,
        // The rule above; the default one would say the same once more.
        open: false,
        securityGroups: [group],
        subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      })
    }
  }
}
