/**
 * List prices in US dollars, on demand, of us-east-1, before any free tier or discount. Known from the price pages as they stood in the
 * year `known`, and not looked up since: before money is spent on them, look again.
 */
export interface Price {
  readonly usd: number
  /** What one is: `GiB and month`. */
  readonly per: string
  /** Price page of AWS. */
  readonly page: string
  readonly known: number
}

const price = (usd: number, per: string, page: string, known = 2025): Price => ({ usd, per, page, known })

export const PRICES = {
  taskVcpu: price(0.04048, 'vCPU and hour', 'Fargate'),
  taskMemory: price(0.004445, 'GiB and hour', 'Fargate'),
  functionTime: price(0.0000133334, 'GiB and second', 'Lambda, Arm'),
  functionCall: price(0.2, 'million calls', 'Lambda'),
  gatewayCall: price(1, 'million requests', 'API Gateway, HTTP APIs'),
  balancer: price(0.0225, 'hour', 'Elastic Load Balancing'),
  balancerUnit: price(0.008, 'LCU and hour', 'Elastic Load Balancing'),
  firewall: price(5, 'web ACL and month', 'WAF'),
  firewallRule: price(1, 'rule and month', 'WAF'),
  firewallRequest: price(0.6, 'million requests', 'WAF'),
  't4g.small': price(0.032, 'hour', 'RDS for PostgreSQL'),
  't4g.medium': price(0.065, 'hour', 'RDS for PostgreSQL'),
  'm7g.large': price(0.168, 'hour', 'RDS for PostgreSQL'),
  databaseStorage: price(0.115, 'GiB and month', 'RDS for PostgreSQL, gp3'),
  nat: price(0.045, 'hour', 'VPC, NAT gateway'),
  natData: price(0.045, 'GB', 'VPC, NAT gateway'),
  endpoint: price(0.01, 'endpoint, zone and hour', 'PrivateLink'),
  endpointData: price(0.01, 'GB', 'PrivateLink'),
  address: price(0.005, 'public IPv4 address and hour', 'VPC'),
  key: price(1, 'key and month', 'KMS'),
  keyCall: price(3, 'million calls', 'KMS'),
  secret: price(0.4, 'secret and month', 'Secrets Manager'),
  storage: price(0.023, 'GB and month', 'S3 Standard'),
  put: price(5, 'million PUT requests', 'S3 Standard'),
  dpu: price(0.44, 'DPU and hour', 'Glue'),
  scanned: price(5, 'TB scanned', 'Athena'),
  logIn: price(0.5, 'GB taken in', 'CloudWatch Logs'),
  logKept: price(0.03, 'GB and month', 'CloudWatch Logs'),
  metric: price(0.3, 'metric and month', 'CloudWatch'),
  alarmMetric: price(0.1, 'metric of an alarm and month', 'CloudWatch'),
  dashboard: price(3, 'dashboard and month', 'CloudWatch'),
  trace: price(5, 'million traces', 'X-Ray'),
  zones: price(0.01, 'GB and direction between zones', 'EC2 data transfer'),
  images: price(0.1, 'GB and month', 'ECR'),
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof PRICES
