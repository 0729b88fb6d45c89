import { type Decision, decide, type Policies, type Statement } from './policy-evaluator.ts'
import { type Resource, resourcesOf, type StackTemplate } from './stack-resources.ts'

/** Where a role is put to use: which property of which resource names it. */
export interface Use {
  readonly resource: Resource
  readonly property: string
}

export interface Role {
  readonly resource: Resource
  /** Who may assume it: services, accounts, or federations, with the conditions. */
  readonly trust: readonly Statement[]
  readonly statements: readonly Statement[]
  readonly boundary: readonly Statement[] | undefined
  readonly uses: readonly Use[]
}

type Json = Readonly<Record<string, unknown>>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): string[] | undefined => {
  if (value === undefined) return undefined
  return (Array.isArray(value) ? value : [value]).map(String)
}

/** Everybody whom a principal names: `*`, ARNs, and services by their names. */
function principalsOf(value: unknown): string[] | undefined {
  if (value === undefined) return undefined
  return isJson(value) ? Object.values(value).flatMap((each) => listOf(each) ?? []) : listOf(value)
}

function conditionsOf(value: unknown): Statement['conditions'] {
  if (!isJson(value)) return {}
  return Object.fromEntries(
    Object.entries(value).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(keys as Json).map(([key, values]) => [key, listOf(values) ?? []])),
    ]),
  )
}

const BY_FIELD = {
  actions: ['Action', listOf],
  notActions: ['NotAction', listOf],
  resources: ['Resource', listOf],
  notResources: ['NotResource', listOf],
  principals: ['Principal', principalsOf],
  notPrincipals: ['NotPrincipal', principalsOf],
} as const

/** Statements of a policy document with its references written out. */
export function statementsOf(document: unknown): Statement[] {
  const { Statement: given } = document as { Statement?: Json | Json[] }
  return (Array.isArray(given) ? given : given ? [given] : []).map((each) => {
    const fields = Object.entries(BY_FIELD).flatMap(([field, [name, read]]) => {
      const value = read(each[name])
      return value === undefined ? [] : [[field, value]]
    })
    const effect = each.Effect === 'Deny' ? 'Deny' : 'Allow'
    return { ...Object.fromEntries(fields), effect, conditions: conditionsOf(each.Condition) }
  })
}

const inlinePolicies = (role: Resource) =>
  ((role.properties.Policies as Json[] | undefined) ?? []).flatMap((each) => statementsOf(each.PolicyDocument))

/** Policies that are attached from outside: to the role by its name, of the same stack or of another one. */
const attachedTo = (role: Resource, all: readonly Resource[]) =>
  all
    .filter(({ type }) => ['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'].includes(type))
    .filter(({ properties: { Roles, RoleName } }) => [...(listOf(Roles) ?? []), RoleName].includes(role.name))

const allow = (resource: string, ...actions: string[]): Statement => ({
  effect: 'Allow',
  actions,
  resources: [resource],
  conditions: {},
})
const WRITE_LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']
const NETWORK = ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface']
/** Statements of AWS (AWS Managed Policy Reference): those that services or functions of CDK need. Give ours none of these. */
const OF_AWS: Readonly<Record<string, readonly Statement[]>> = {
  AWSLambdaBasicExecutionRole: [allow('*', ...WRITE_LOGS)],
  AWSLambdaVPCAccessExecutionRole: [
    allow('*', ...WRITE_LOGS),
    allow(
      '*',
      ...NETWORK.map((each) => `ec2:${each}`),
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ),
  ],
  AmazonRDSEnhancedMonitoringRole: [
    allow('arn:aws:logs:*:*:log-group:RDS*', 'logs:CreateLogGroup', 'logs:PutRetentionPolicy'),
    allow(
      'arn:aws:logs:*:*:log-group:RDS*:log-stream:*',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'logs:DescribeLogStreams',
      'logs:GetLogEvents',
    ),
  ],
}

function managed(arn: string, role: Resource, all: readonly Resource[]): Statement[] {
  const policy = all.find((each) => each.type === 'AWS::IAM::ManagedPolicy' && each.arn === arn)
  if (policy) return statementsOf(policy.properties.PolicyDocument)
  const ofAws = arn.startsWith('arn:aws:iam::aws:policy/') && OF_AWS[arn.slice(arn.lastIndexOf('/') + 1)]
  if (ofAws) return [...ofAws]
  throw new Error(`${role.name} has ${arn}, whose statements are in no template: nobody can tell what the role may do`)
}

function usesOf(role: Resource, all: readonly Resource[]): Use[] {
  const found: Use[] = []
  const search = (resource: Resource, value: unknown, property: string): void => {
    if (value === role.arn || (value === role.name && /role(name)?s?$/i.test(property))) {
      found.push({ resource, property })
    } else if (Array.isArray(value)) {
      for (const each of value) search(resource, each, property)
    } else if (isJson(value)) {
      for (const [key, each] of Object.entries(value))
        search(resource, each, property === '' ? key : `${property}.${key}`)
    }
  }
  for (const resource of all) {
    if (!resource.type.startsWith('AWS::IAM::')) search(resource, resource.properties, '')
  }
  // A policy of a bucket or key that names the role, and what another one passes on, is no use of it.
  return found.filter(({ property }) => !/policy|document/i.test(property))
}

function roleOf(resource: Resource, all: readonly Resource[]): Role {
  const { AssumeRolePolicyDocument, ManagedPolicyArns, PermissionsBoundary } = resource.properties
  const attached = attachedTo(resource, all).flatMap((each) => statementsOf(each.properties.PolicyDocument))
  const byArn = (listOf(ManagedPolicyArns) ?? []).flatMap((arn) => managed(arn, resource, all))
  return {
    resource,
    trust: statementsOf(AssumeRolePolicyDocument),
    statements: [...inlinePolicies(resource), ...attached, ...byArn],
    boundary: PermissionsBoundary === undefined ? undefined : managed(String(PermissionsBoundary), resource, all),
    uses: usesOf(resource, all),
  }
}

/** Policies of resources by the ARN of what they protect. */
function resourcePolicies(all: readonly Resource[]): { readonly arn: string; readonly statements: Statement[] }[] {
  return all.flatMap(({ type, arn, properties }) => {
    const { Bucket, PolicyDocument, KeyPolicy, SecretId, ResourcePolicy } = properties
    if (type === 'AWS::S3::BucketPolicy')
      return [{ arn: `arn:aws:s3:::${Bucket}`, statements: statementsOf(PolicyDocument) }]
    // By its trust alone a role of the same account may assume it, where that names it.
    if (type === 'AWS::IAM::Role') return [{ arn, statements: statementsOf(properties.AssumeRolePolicyDocument) }]
    if (type === 'AWS::KMS::Key') return [{ arn, statements: statementsOf(KeyPolicy) }]
    if (type === 'AWS::SecretsManager::ResourcePolicy') {
      return [{ arn: String(SecretId), statements: statementsOf(ResourcePolicy) }]
    }
    return []
  })
}

/** All roles of a stage, and what they may do. */
export class StageAccess {
  readonly resources: readonly Resource[]
  readonly roles: readonly Role[]
  readonly #policies: ReturnType<typeof resourcePolicies>

  /** @throws where a role has a policy whose statements are in none of the templates. */
  constructor(stacks: readonly StackTemplate[]) {
    this.resources = resourcesOf(stacks)
    this.roles = this.resources
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .map((each) => roleOf(each, this.resources))
    this.#policies = resourcePolicies(this.resources)
  }

  /** @param resource an ARN, `*` in it stands for any text. @param context what is known of the request, keys in lower case. */
  decide(role: Role, action: string, resource: string, context: Readonly<Record<string, string>> = {}): Decision {
    const of = this.#policies.find(({ arn }) => resource === arn || resource.startsWith(`${arn}/`))
    const policies: Policies = { own: role.statements, boundary: role.boundary, ofResource: of?.statements }
    const isKey = resource.includes(':kms:') && of !== undefined
    const delegates = of?.statements.some(
      (each) => each.effect === 'Allow' && each.principals?.some((one) => one.endsWith(':root')),
    )
    const request = { principal: role.resource.arn, action, resource, context }
    return decide(isKey && !delegates ? { ...policies, ownCount: false } : policies, request)
  }
}
