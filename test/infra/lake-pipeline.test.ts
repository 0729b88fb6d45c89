import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Stage } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { hashedModules } from '../../infra/constructs/glue-package.ts'
import { DatabaseStack } from '../../infra/stacks/database-stack.ts'
import { LakeStack } from '../../infra/stacks/lake-stack.ts'
import { NetworkStack } from '../../infra/stacks/network-stack.ts'
import { type StageSettings, stageNamed, type Warehouse } from '../../infra/stages.ts'
import { withApp } from '../../infra/with-app.ts'
import { manifestKey, retiredKey } from '../../src/lake/object-keys.ts'
import { cdkContext } from '../support/infra.ts'
import { deployedLake } from './deployed-lake.ts'

const GLUE_JOBS = path.resolve(import.meta.dirname, '../../glue-jobs')
/** What Glue takes itself ("Using job parameters in AWS Glue jobs"). */
const OF_GLUE = new Set([
  ...['--extra-py-files', '--extra-files', '--additional-python-modules', '--enable-auto-scaling', '--enable-metrics'],
  '--python-modules-installer-option',
  ...['--enable-observability-metrics', '--enable-continuous-cloudwatch-log', '--job-bookmark-option'],
])
const { all, one, place } = deployedLake('dev')
const argumentsPy = readFileSync(path.join(GLUE_JOBS, 'rocketgames_glue/arguments.py'), 'utf8')

interface Job {
  readonly Name: string
  readonly GlueVersion: string
  readonly MaxRetries: number
  readonly Timeout: number
  readonly ExecutionProperty: { readonly MaxConcurrentRuns: number }
  readonly Connections: { readonly Connections: readonly string[] }
  readonly DefaultArguments: Readonly<Record<string, string>>
}
const jobs = new Map(
  all('AWS::Glue::Job').map(({ properties }) => [String(properties.Name), properties as unknown as Job]),
)
const job = (name: string): Job => {
  const found = jobs.get(name)
  if (found === undefined) throw new Error(`There is no job ${name}`)
  return found
}

/** The arguments that the parser of a job declares, those of all jobs included. */
function declared(parser: 'curate' | 'load' | 'unload'): string[] {
  const [, shared = ''] = /def _parser\([\s\S]*?\n([\s\S]*?)\n\n/.exec(argumentsPy) ?? []
  const own =
    new RegExp(`def ${parser}_arguments\\([\\s\\S]*?\\n([\\s\\S]*?)(?:\\n\\n|\\n$)`).exec(argumentsPy)?.[1] ?? ''
  return [...`${shared}${own}`.matchAll(/"(--[a-z-]+)"/g)].map(([, name = '']) => name)
}

const given = ({ DefaultArguments }: Job) => Object.keys(DefaultArguments).filter((name) => !OF_GLUE.has(name))

/** The lake of a stage that asks for more than those that there are. */
function lakeWith(more: Partial<StageSettings>): Template {
  const settings = { ...stageNamed('dev'), ...more }
  return withApp({ context: cdkContext() }, (app) => {
    const stage = new Stage(app, 'dev', { env: { region: settings.region } })
    const network = new NetworkStack(stage, 'network', { settings })
    const database = new DatabaseStack(stage, 'database', { settings, network })
    return Template.fromStack(new LakeStack(stage, 'lake', { settings, network, database }))
  })
}

describe('the Glue jobs', () => {
  it('run on the Glue that they are tested for, one at a time, in the private network, encrypted', () => {
    const connections = all('AWS::Glue::Connection').map(({ properties }) => {
      return (properties.ConnectionInput as { Name: string; ConnectionType: string }).Name
    })
    expect(connections.length).toBe(2)
    for (const each of jobs.values()) {
      expect(each).toMatchObject({ GlueVersion: '5.0', ExecutionProperty: { MaxConcurrentRuns: 1 } })
      expect(each.Connections.Connections.length).toBe(connections.length)
      expect(each).toMatchObject({ SecurityConfiguration: one('AWS::Glue::SecurityConfiguration').properties.Name })
      expect(each.DefaultArguments['--job-bookmark-option']).toBe('job-bookmark-disable')
    }
  })

  it('and the crawler log for a month, encrypted, into groups that are named as Glue names those of a security configuration', () => {
    const { Name: configuration } = one('AWS::Glue::SecurityConfiguration').properties
    const roles = (id: RegExp) => one('AWS::IAM::Role', id).name
    const streams = ['error', 'output']
    expect(
      all('AWS::Logs::LogGroup')
        .map(({ properties }) => properties)
        .sort((a, b) => (String(a.LogGroupName) < String(b.LogGroupName) ? -1 : 1)),
    ).toEqual(
      [
        `/aws-glue/crawlers-role/${roles(/^CatalogueCrawlerRole/)}-${configuration}`,
        ...streams.map((each) => `/aws-glue/jobs/${configuration}-role/${roles(/^CurateRole/)}/${each}`),
        ...streams.map((each) => `/aws-glue/jobs/${configuration}-role/${roles(/^UnloadRole/)}/${each}`),
      ].map((LogGroupName) =>
        expect.objectContaining({ LogGroupName, RetentionInDays: 30, KmsKeyId: one('AWS::KMS::Key', /^JobLogs/).arn }),
      ),
    )
  })

  it('and the crawler have roles with names of CloudFormation: a log group that Glue has made fails no deployment', () => {
    for (const id of [/^CatalogueCrawlerRole/, /^CurateRole/, /^UnloadRole/]) {
      expect(one('AWS::IAM::Role', id).properties).not.toHaveProperty('RoleName')
    }
  })

  it('get only arguments that their scripts know, and all that these ask for', () => {
    expect(declared('unload')).toContain('--plan')
    const curate = given(job('rocketgames-curate'))
    expect(curate.filter((name) => !declared('curate').includes(name))).toEqual([])
    expect(curate).toEqual(expect.arrayContaining(['--bucket', '--region', '--results', '--workgroup', '--database']))
    const unload = given(job(place.unloadJob))
    expect(unload.filter((name) => !declared('unload').includes(name))).toEqual([])
    // The run gives --plan, --bucket and --region.
    expect(unload).toEqual(expect.arrayContaining(['--secret-id', '--pseudonym-key-secret', '--ssl-root-cert']))
  })

  it('read a snapshot once: a second attempt would find it gone', () => {
    expect(job(place.unloadJob).MaxRetries).toBe(0)
    expect(job('rocketgames-curate').MaxRetries).toBeGreaterThan(0)
  })

  it('get modules from a file with the versions and the hashes that the jobs are tested with', () => {
    const args = job(place.unloadJob).DefaultArguments
    expect(args['--python-modules-installer-option']).toBe('-r')
    const key = /\/([0-9a-f]{64}\.txt)$/.exec(args['--additional-python-modules'] ?? '')?.[1] ?? 'none'
    const readers = all('AWS::IAM::Policy').filter(({ properties }) => JSON.stringify(properties).includes(key))
    expect(readers.map(({ logicalId }) => logicalId)).toEqual([expect.stringMatching(/^UnloadRole/)])
    const requirements = readFileSync(path.join(GLUE_JOBS, 'requirements.txt'), 'utf8')
    const [option, ...lines] = hashedModules(['pyarrow', 'cryptography', 'cffi', 'pycparser']).trimEnd().split('\n')
    expect(option).toBe('--only-binary :all:')
    const pins = lines.filter((line) => !line.startsWith('    --hash=sha256:'))
    expect(pins.map((each) => each.split('==')[0])).toEqual(['pyarrow', 'cryptography', 'cffi', 'pycparser'])
    for (const pin of pins) {
      const at = lines.indexOf(pin)
      const hashes = lines.slice(at + 1).findIndex((line) => !line.startsWith(' '))
      const block = lines.slice(at, hashes < 0 ? undefined : at + 1 + hashes)
      expect(block.length).toBeGreaterThan(1)
      expect(requirements).toContain(`${block.join('\n')}\n    # via`)
    }
    expect(() => hashedModules(['left-pad'])).toThrow('no pin for left-pad')
  })

  it('find the authorities of the database under the name that --extra-files gives them', () => {
    const { DefaultArguments: args } = job(place.unloadJob)
    expect(args['--extra-files']?.endsWith(`/${args['--ssl-root-cert']}`)).toBe(true)
    expect(args['--ssl-root-cert']).toMatch(/^[0-9a-f]{64}\.pem$/)
  })
})

describe('the way from a snapshot to the warehouse', () => {
  it('begins when the manifest of a snapshot is written, and by nothing else that is written', () => {
    const { EventPattern } = one('AWS::Events::Rule').properties as {
      EventPattern: { detail: { bucket: { name: string[] }; object: { key: { prefix: string }[] } } }
    }
    expect(EventPattern).toMatchObject({ source: ['aws.s3'], 'detail-type': ['Object Created'] })
    expect(EventPattern.detail.bucket.name).toEqual([place.bucket])
    const prefix = EventPattern.detail.object.key[0]?.prefix ?? 'none'
    const id = '20261122t020000z-01kaq3c9'
    expect(manifestKey(id).startsWith(prefix)).toBe(true)
    expect(retiredKey(id).startsWith(prefix)).toBe(false)
  })

  it('goes to the workflow whose first step is the curate job; what it does not take is kept', () => {
    const { Targets } = one('AWS::Events::Rule').properties as { Targets: { Arn: string; DeadLetterConfig: unknown }[] }
    const [target] = Targets
    expect(target?.Arn.endsWith(`:workflow/${one('AWS::Glue::Workflow').name}`)).toBe(true)
    expect(target?.DeadLetterConfig).toEqual({ Arn: one('AWS::SQS::Queue').arn })
    expect(one('AWS::Glue::Trigger').properties).toMatchObject({
      ...{ Type: 'EVENT', WorkflowName: one('AWS::Glue::Workflow').name },
      Actions: [{ JobName: 'rocketgames-curate' }],
    })
  })

  const warehouses: readonly (readonly [Warehouse, readonly string[]])[] = [
    [{ target: 'postgres', secretName: 'warehouse/login' }, ['--secret-id', '--ssl-root-cert']],
    [
      { target: 'redshift', workgroup: 'analytics', database: 'dev', copyRoleName: 'redshift-copy' },
      ['--redshift-workgroup', '--redshift-database', '--iam-role'],
    ],
    [{ target: 'snowflake', secretName: 'warehouse/login', stage: 'lake.public.curated' }, ['--secret-id', '--stage']],
  ]

  it.each(warehouses)('ends in a warehouse where the stage has one: %o', (warehouse, needed) => {
    const template = lakeWith({ warehouse })
    template.hasResourceProperties('AWS::Glue::Trigger', {
      ...{ Type: 'CONDITIONAL', StartOnCreation: true, Actions: [{ JobName: 'rocketgames-load' }] },
      Predicate: { Conditions: [{ JobName: 'rocketgames-curate', LogicalOperator: 'EQUALS', State: 'SUCCEEDED' }] },
    })
    const [found] = Object.values(
      template.findResources('AWS::Glue::Job', { Properties: { Name: 'rocketgames-load' } }),
    )
    const load = (found as { Properties: Job }).Properties
    expect(load.DefaultArguments['--target']).toBe(warehouse.target)
    expect(given(load)).toEqual(expect.arrayContaining([...needed]))
    expect(given(load).filter((name) => !declared('load').includes(name))).toEqual([])
  })

  it('is made in an order that Glue takes: jobs, and then one trigger after the other', () => {
    const template = lakeWith({
      warehouse: { target: 'snowflake', secretName: 'warehouse/login', stage: 'lake.public.curated' },
    })
    const idOf = (type: string, properties: object) => {
      const ids = Object.keys(template.findResources(type, { Properties: properties }))
      expect(ids.length).toBe(1)
      return String(ids[0])
    }
    const dependencies = (type: 'EVENT' | 'CONDITIONAL') =>
      Object.values(template.findResources('AWS::Glue::Trigger', { Properties: { Type: type } })).flatMap(
        (trigger) => trigger.DependsOn as string[],
      )
    const curate = idOf('AWS::Glue::Job', { Name: 'rocketgames-curate' })
    expect(dependencies('EVENT')).toEqual(expect.arrayContaining([curate, idOf('AWS::Glue::Workflow', {})]))
    const [load, first] = [
      idOf('AWS::Glue::Job', { Name: 'rocketgames-load' }),
      idOf('AWS::Glue::Trigger', { Type: 'EVENT' }),
    ]
    expect(dependencies('CONDITIONAL')).toEqual(expect.arrayContaining([load, first]))
  })

  it('holds the snapshots that it reads where the stage names an API and the secret with a key of it', () => {
    expect(given(job('rocketgames-curate'))).not.toContain('--api-url')
    const secretName = 'rocketgames-accounts/dev/holds'
    const template = lakeWith({ holds: { apiUrl: 'https://accounts.example', secretName } })
    template.hasResourceProperties('AWS::Glue::Job', {
      Name: 'rocketgames-curate',
      DefaultArguments: { '--api-url': 'https://accounts.example', '--api-key-secret': secretName },
    })
    expect(declared('curate')).toEqual(expect.arrayContaining(['--api-url', '--api-key-secret']))
    const policies = template.findResources('AWS::IAM::Policy')
    const readers = Object.entries(policies).filter(([, policy]) => JSON.stringify(policy).includes(secretName))
    expect(readers.map(([id]) => id)).toEqual([expect.stringMatching(/^CurateRole/)])
    expect(JSON.stringify(readers)).toContain('secretsmanager:GetSecretValue')
  })

  it('ends at the curated tables where it has none', () => {
    expect([...jobs.keys()].sort()).toEqual(['rocketgames-curate', 'rocketgames-unload'])
  })
})
