/**
 * The resources of synthesised templates with their references written out: what a policy names is then an ARN that can be
 * compared, and read. Names that CloudFormation would generate are the logical ids without the hash; account and region
 * are `ACCOUNT` and `REGION`.
 */

export interface StackTemplate {
  readonly stack: string
  /** Parsed JSON of the template. */
  readonly template: unknown
  /** Where it names its region, it names this one. */
  readonly region?: string | undefined
}

export interface Resource {
  readonly stack: string
  readonly logicalId: string
  /** Explicit name, or the logical id without its hash. */
  readonly name: string
  /** `AWS::IAM::Role`. */
  readonly type: string
  readonly arn: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
}

type Json = Readonly<Record<string, unknown>>

interface Raw {
  readonly Type: string
  readonly Properties?: Json
  readonly Metadata?: Json
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': 'ACCOUNT',
  'AWS::Region': 'REGION',
  'AWS::URLSuffix': 'amazonaws.com',
}

/** Which property names a resource where it is named; others have generated names. */
const NAME_PROPERTIES: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::ECS::Cluster': 'ClusterName',
  'AWS::ECS::Service': 'ServiceName',
  'AWS::ECS::TaskDefinition': 'Family',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SNS::Topic': 'TopicName',
}

const at = 'REGION:ACCOUNT'
/** ARNs by type; all other types get one of the same look. `Ref` is the name unless the type stands in REF_IS_ARN. */
const ARNS: Readonly<Record<string, (name: string) => string>> = {
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name}`,
  'AWS::IAM::Role': (name) => `arn:aws:iam::ACCOUNT:role/${name}`,
  'AWS::IAM::ManagedPolicy': (name) => `arn:aws:iam::ACCOUNT:policy/${name}`,
  'AWS::KMS::Key': (name) => `arn:aws:kms:${at}:key/${name}`,
  'AWS::SecretsManager::Secret': (name) => `arn:aws:secretsmanager:${at}:secret:${name}-SUFFIX`,
  'AWS::Logs::LogGroup': (name) => `arn:aws:logs:${at}:log-group:${name}:*`,
  'AWS::SQS::Queue': (name) => `arn:aws:sqs:${at}:${name}`,
  'AWS::SNS::Topic': (name) => `arn:aws:sns:${at}:${name}`,
  'AWS::ECS::Cluster': (name) => `arn:aws:ecs:${at}:cluster/${name}`,
  'AWS::ECS::TaskDefinition': (name) => `arn:aws:ecs:${at}:task-definition/${name}:1`,
  'AWS::Lambda::Function': (name) => `arn:aws:lambda:${at}:function:${name}`,
  'AWS::Glue::Job': (name) => `arn:aws:glue:${at}:job/${name}`,
  'AWS::Glue::Crawler': (name) => `arn:aws:glue:${at}:crawler/${name}`,
  'AWS::Glue::Database': (name) => `arn:aws:glue:${at}:database/${name}`,
  'AWS::Glue::Workflow': (name) => `arn:aws:glue:${at}:workflow/${name}`,
  'AWS::Athena::WorkGroup': (name) => `arn:aws:athena:${at}:workgroup/${name}`,
}
const REF_IS_ARN = new Set([
  'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic',
  'AWS::IAM::ManagedPolicy',
  'AWS::ECS::TaskDefinition',
])

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const withoutHash = (logicalId: string) => logicalId.replace(/[0-9A-F]{8}([0-9a-f]{32})?$/, '')

function arnOf(type: string, name: string): string {
  const known = ARNS[type]
  if (known) return known(name)
  const [, service = '', kind = ''] = type.split('::')
  return `arn:aws:${service.toLowerCase()}:${at}:${kind.toLowerCase()}/${name}`
}

class Resolver {
  readonly #raw = new Map<string, Readonly<Record<string, Raw>>>()
  readonly #exports = new Map<string, { readonly stack: string; readonly value: unknown }>()

  constructor(stacks: readonly StackTemplate[]) {
    for (const { stack, template: given, region } of stacks) {
      const template = region === undefined ? given : JSON.parse(JSON.stringify(given).replaceAll(region, 'REGION'))
      const { Resources = {}, Outputs = {} } = template as {
        Resources?: Record<string, Raw>
        Outputs?: Record<string, Json>
      }
      this.#raw.set(stack, Resources)
      for (const [id, { Value, Export }] of Object.entries(Outputs)) {
        const name = isJson(Export) ? String(Export.Name) : `${stack}.${id}`
        this.#exports.set(name, { stack, value: Value })
      }
    }
  }

  resources(): Resource[] {
    return [...this.#raw].flatMap(([stack, raw]) =>
      Object.entries(raw).map(([logicalId, { Type: type, Properties = {}, Metadata = {} }]) => {
        const name = this.#name(stack, logicalId)
        const properties = this.resolve(stack, Properties) as Json
        return { stack, logicalId, name, type, arn: arnOf(type, name), properties, metadata: Metadata }
      }),
    )
  }

  resolve(stack: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.resolve(stack, each))
    if (!isJson(value)) return value
    const [entry, ...others] = Object.entries(value)
    if (entry && others.length === 0 && (entry[0] === 'Ref' || entry[0].startsWith('Fn::'))) {
      return this.#intrinsic(stack, entry[0], entry[1])
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.resolve(stack, each)]))
  }

  #intrinsic(stack: string, name: string, given: unknown): unknown {
    const resolved = () => this.resolve(stack, given)
    if (name === 'Ref') return this.#ref(stack, String(given))
    if (name === 'Fn::GetAtt') {
      const [id = '', attribute = ''] = Array.isArray(given) ? given.map(String) : String(given).split(/\.(.*)/)
      return this.#attribute(stack, id, attribute)
    }
    if (name === 'Fn::ImportValue') return this.#exported(String(resolved()))
    if (name === 'Fn::GetStackOutput') {
      const { StackName, OutputName } = resolved() as Json
      return this.#exported(`${StackName}.${OutputName}`)
    }
    if (name === 'Fn::Join') {
      const [separator, parts] = resolved() as [string, unknown[]]
      return Array.isArray(parts) ? parts.join(separator) : String(parts)
    }
    if (name === 'Fn::Split') {
      const [separator, text] = resolved() as [string, string]
      return text.split(separator)
    }
    if (name === 'Fn::Select') {
      const [index, list] = resolved() as [number | string, unknown]
      return Array.isArray(list) ? list[Number(index)] : `<${index} of ${String(list)}>`
    }
    if (name === 'Fn::Sub') return this.#substituted(stack, given)
    return `<${name}>`
  }

  #substituted(stack: string, given: unknown): string {
    const [text, more] = (Array.isArray(given) ? given : [given, {}]) as [string, Json]
    return text.replaceAll(/\$\{([^!}]+)\}/g, (_, name: string) => {
      if (name in more) return String(this.resolve(stack, more[name]))
      const [id = '', attribute] = name.split(/\.(.*)/)
      return attribute === undefined ? this.#ref(stack, id) : this.#attribute(stack, id, attribute)
    })
  }

  #exported(name: string): unknown {
    const found = this.#exports.get(name)
    if (!found) throw new Error(`No stack exports ${name}`)
    return this.resolve(found.stack, found.value)
  }

  #name(stack: string, logicalId: string): string {
    const { Type = '', Properties = {} } = this.#raw.get(stack)?.[logicalId] ?? {}
    const given = Properties[NAME_PROPERTIES[Type] ?? 'Name']
    return given === undefined ? withoutHash(logicalId) : String(this.resolve(stack, given))
  }

  #ref(stack: string, id: string): string {
    const pseudo = PSEUDO[id]
    if (pseudo !== undefined) return pseudo
    const raw = this.#raw.get(stack)?.[id]
    if (!raw) return `<${id}>`
    if (raw.Type === 'AWS::SecretsManager::SecretTargetAttachment') {
      return String(this.resolve(stack, raw.Properties?.SecretId))
    }
    const name = this.#name(stack, id)
    return REF_IS_ARN.has(raw.Type) ? arnOf(raw.Type, name) : name
  }

  #attribute(stack: string, id: string, attribute: string): string {
    const raw = this.#raw.get(stack)?.[id]
    if (!raw) throw new Error(`The stack ${stack} has no resource ${id}`)
    if (['Arn', 'TopicArn', 'TaskDefinitionArn', 'JobArn'].includes(attribute))
      return arnOf(raw.Type, this.#name(stack, id))
    return `<${withoutHash(id)}.${attribute}>`
  }
}

/** @throws where a template refers to what none of them has. */
export function resourcesOf(stacks: readonly StackTemplate[]): Resource[] {
  return new Resolver(stacks).resources()
}
