import { Match } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, it } from 'vitest'
import { DATABASE_PARAMETERS } from '../../infra/constructs/database-parameters.ts'
import { STAGES } from '../../infra/stages.ts'
import { type SynthesizedStage, synthesized } from '../support/infra.ts'

const stages = new Map<string, SynthesizedStage>()
beforeAll(() => {
  for (const { name } of STAGES) stages.set(name, synthesized(name))
})

/** `Balancer -> Service 3000`: every rule between groups, and to addresses. */
function rules(stage: SynthesizedStage): string[] {
  const template = stage.template('network')
  const nameOf = (value: unknown) => /"(?:Fn::GetAtt|Ref)":\[?"(\w+?)Group[0-9A-F]{8}"/.exec(JSON.stringify(value))?.[1]
  const found: string[] = []
  const add = (owner: string, rule: Record<string, unknown>, out: boolean) => {
    const other = nameOf(rule.DestinationSecurityGroupId ?? rule.SourceSecurityGroupId ?? '') ?? String(rule.CidrIp)
    const ports = rule.FromPort === rule.ToPort ? rule.FromPort : `${rule.FromPort}-${rule.ToPort}`
    found.push(out ? `${owner} -> ${other} ${ports}` : `${owner} <- ${other} ${ports}`)
  }
  for (const [id, { Properties }] of Object.entries(template.findResources('AWS::EC2::SecurityGroup'))) {
    const owner = /^(\w+?)Group/.exec(id)?.[1] ?? id
    for (const rule of Properties.SecurityGroupIngress ?? []) add(owner, rule, false)
    for (const rule of Properties.SecurityGroupEgress ?? []) add(owner, rule, true)
  }
  for (const [type, out] of [
    ['AWS::EC2::SecurityGroupEgress', true],
    ['AWS::EC2::SecurityGroupIngress', false],
  ] as const) {
    for (const { Properties } of Object.values(template.findResources(type))) {
      add(nameOf(Properties.GroupId) ?? '?', Properties, out)
    }
  }
  return found
}

describe('who may talk to whom', () => {
  it('leads to the database from programs only, and from the database nowhere', () => {
    const clients = ['Service', 'Tasks', 'Rotation', 'Glue']
    for (const [name, stage] of stages) {
      const all = rules(stage)
      expect(all.filter((rule) => rule.startsWith('Database <-')).sort(), name).toEqual(
        clients.map((client) => `Database <- ${client} 5432`).sort(),
      )
      // What the framework writes where nothing is allowed.
      expect(
        all.filter((rule) => rule.startsWith('Database ->')),
        name,
      ).toEqual(['Database -> 255.255.255.255/32 252-86'])
    }
  })

  it('lets callers reach the load balancer by TLS, and the load balancer alone reach the service', () => {
    for (const name of ['dev', 'prod']) {
      const all = rules(stages.get(name)!)
      expect(all.filter((rule) => rule.startsWith('Balancer <-'))).toEqual(['Balancer <- 10.0.0.0/8 443'])
      expect(all.filter((rule) => rule.startsWith('Service <-'))).toEqual(['Service <- Balancer 3000'])
    }
    const small = rules(stages.get('small')!)
    expect(small.filter((rule) => /^(Balancer|Service|Tasks|Rotation) <-/.test(rule))).toEqual([])
  })

  it('lets nobody call the whole world by anything but TLS', () => {
    for (const [name, stage] of stages) {
      const out = rules(stage).filter((rule) => rule.includes('-> 0.0.0.0/0'))
      expect(out.length, name).toBeGreaterThan(0)
      expect(
        out.filter((rule) => !rule.endsWith(' 443')),
        name,
      ).toEqual([])
    }
  })
})

describe('the network', () => {
  it('spreads over two zones at least, records its flows, and gives nothing a public address by itself', () => {
    for (const [name, stage] of stages) {
      const template = stage.template('network')
      template.resourceCountIs('AWS::EC2::FlowLog', 1)
      const subnets = Object.values(template.findResources('AWS::EC2::Subnet')).map(({ Properties }) => Properties)
      expect(new Set(subnets.map(({ AvailabilityZone }) => JSON.stringify(AvailabilityZone))).size, name).toBe(2)
      expect(
        subnets.filter(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch === true),
        name,
      ).toEqual([])
    }
  })

  it('has the APIs that programs call inside, where no call may depend on the way out', () => {
    const services = Object.values(stages.get('prod')!.template('network').findResources('AWS::EC2::VPCEndpoint')).map(
      ({ Properties }) => /\.([a-z0-9.]+)"?\]*\}?$/.exec(JSON.stringify(Properties.ServiceName))?.[1],
    )
    for (const name of ['s3', 'secretsmanager', 'kms', 'logs', 'ecr.api', 'ecr.dkr', 'ecs', 'glue', 'athena']) {
      expect(services).toContain(name)
    }
  })
})

describe('the database', () => {
  it('is encrypted, unreachable from outside, and kept with its backups where the stage says so', () => {
    for (const settings of STAGES) {
      const template = stages.get(settings.name)!.template('database')
      template.hasResourceProperties('AWS::RDS::DBInstance', {
        Engine: 'postgres',
        StorageEncrypted: true,
        PubliclyAccessible: false,
        MultiAZ: settings.database.multiAz,
        BackupRetentionPeriod: settings.database.backupDays,
        DeletionProtection: settings.database.protected,
        EnableCloudwatchLogsExports: Match.arrayWith(['postgresql']),
      })
      template.hasResource('AWS::RDS::DBInstance', {
        // A first deployment that fails leaves nothing with the name that the next one needs.
        DeletionPolicy: settings.database.protected ? 'RetainExceptOnCreate' : 'Snapshot',
        UpdateReplacePolicy: settings.database.protected ? 'Retain' : 'Snapshot',
      })
      // Whatever stays of the database is read with its key.
      for (const key of Object.values(template.findResources('AWS::KMS::Key')))
        expect(key.DeletionPolicy, settings.name).toBe('RetainExceptOnCreate')
    }
  })

  it('takes no connection without TLS, and logs no value', () => {
    stages
      .get('prod')!
      .template('database')
      .hasResourceProperties('AWS::RDS::DBParameterGroup', {
        Family: 'postgres18',
        Parameters: Match.objectLike({ ...DATABASE_PARAMETERS }),
      })
    expect(DATABASE_PARAMETERS).toMatchObject({
      'rds.force_ssl': '1',
      log_parameter_max_length: '0',
      log_parameter_max_length_on_error: '0',
      log_error_verbosity: 'terse',
      log_statement: 'none',
      log_min_error_statement: 'panic',
    })
  })

  it('has keys of 64 hex digits, which nothing but a person changes', () => {
    const secrets = Object.values(stages.get('prod')!.template('database').findResources('AWS::SecretsManager::Secret'))
    const keys = secrets.filter(({ Properties }) => /KEY|PEPPER/.test(Properties.Description ?? ''))
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      const { ExcludeCharacters, ...how } = key.Properties.GenerateSecretString
      expect(how).toMatchObject({ PasswordLength: 64, ExcludeUppercase: true, ExcludePunctuation: true })
      const left = [...'abcdefghijklmnopqrstuvwxyz'].filter((letter) => !ExcludeCharacters.includes(letter))
      expect(left.join('')).toBe('abcdef')
      expect(key.DeletionPolicy).toBe('RetainExceptOnCreate')
    }
  })
})
