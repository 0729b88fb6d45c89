import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { synthesized } from '../support/infra.ts'

const template = () => synthesized('small').template('function')
const only = (type: string) => {
  const [resource, ...others] = Object.values(template().findResources(type))
  expect(others).toEqual([])
  return (resource?.Properties ?? {}) as Record<string, unknown>
}

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}

/** All that the function's role may do. */
function statements(): Statement[] {
  const policies = Object.entries(template().findResources('AWS::IAM::Policy')).filter(([id]) =>
    id.startsWith('ApiRole'),
  )
  return policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[])
}

/** An ARN with the longest name that is in use here; what the deployment fills in is no longer. */
const LONGEST_REFERENCE = 160

function deployedLength(value: unknown): number {
  if (typeof value === 'string') return value.length
  const { 'Fn::Join': join } = value as { 'Fn::Join'?: [string, unknown[]] }
  if (join === undefined) return LONGEST_REFERENCE
  return join[1].reduce<number>((sum, each) => sum + join[0].length + deployedLength(each), 0)
}

describe('the function', () => {
  it('answers before the gateway gives up, and has few connections in all', () => {
    const { MemorySize, ReservedConcurrentExecutions, Runtime, Timeout } = only('AWS::Lambda::Function')
    expect(Timeout).toBe(29)
    expect([Runtime, MemorySize]).toEqual(['nodejs24.x', 1024])
    // t4g.small takes about 180.
    expect(Number(ReservedConcurrentExecutions) * 2).toBeLessThan(120)
  })

  it('has no secret in its settings, but where the extension finds them', () => {
    const { Environment, Layers } = only('AWS::Lambda::Function') as {
      Environment: { Variables: Record<string, unknown> }
      Layers: unknown[]
    }
    const variables = Environment.Variables
    for (const name of ['DATABASE_PASSWORD', 'API_KEY_PEPPER', 'CURSOR_KEY', 'LAKE_PSEUDONYM_KEY', 'DATABASE_URL']) {
      expect(variables, name).not.toHaveProperty(name)
    }
    const references = JSON.stringify(variables.FUNCTION_SECRETS)
    for (const name of ['DATABASE_USER', 'DATABASE_PASSWORD', 'API_KEY_PEPPER', 'CURSOR_KEY']) {
      expect(references).toContain(name)
    }
    expect(references).not.toContain('{{resolve')
    expect(Layers).toHaveLength(1)
    expect(variables).toMatchObject({ MIGRATE_AT_START: 'off', LAKE_RUNNER: 'ecs', LAKE_SCHEDULER: 'none' })
    // Lambda takes 4 KB of names and values.
    const bytes = Object.entries(variables).map(([name, value]) => name.length + deployedLength(value))
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(4096)
  })

  it('may read its secrets, ask Athena and start tasks; it may not write the lake', () => {
    const allowed = statements()
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Action }) => Action)
    expect(allowed).toEqual(expect.arrayContaining(['ecs:RunTask', 'secretsmanager:GetSecretValue']))
    expect(allowed.filter((action) => /^(s3:Delete|glue:(Batch)?(Create|Update|Delete))|:\*$/.test(action))).toEqual([])
    const written = statements().filter(({ Action }) => [Action].flat().some((action) => action.startsWith('s3:Put')))
    expect(written.length).toBeGreaterThan(0)
    for (const { Resource } of written) expect(JSON.stringify(Resource)).not.toMatch(/BucketsLake[0-9A-F]/)
  })

  it('stands in the network by rights that its code is denied', () => {
    const denied = statements().find(({ Effect }) => Effect === 'Deny')
    expect(denied?.Action).toContain('ec2:CreateNetworkInterface')
    expect(JSON.stringify(denied?.Condition)).toContain('function:rocketgames-accounts-small')
  })
})

describe('the gateway', () => {
  it('hands every request on in the form 2.0, within limits', () => {
    template().hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' })
    template().hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: '$default' })
    template().hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      DefaultRouteSettings: { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
    })
  })

  it('logs no path, no query and no address', () => {
    const { AccessLogSettings } = only('AWS::ApiGatewayV2::Stage') as { AccessLogSettings: { Format: string } }
    const fields = Object.values(JSON.parse(AccessLogSettings.Format) as Record<string, string>)
    expect(fields).toContain('$context.requestId')
    expect(fields.filter((field) => /path|route|sourceIp|userAgent|query|domain/i.test(field))).toEqual([])
  })
})

describe('jobs', () => {
  it('are done by a task that is started every five minutes and ends when there is nothing left', () => {
    template().hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: Match.stringLikeRegexp('^cron\\(\\*/5 '),
      Target: { Input: Match.stringLikeRegexp('"work","--until-idle"') },
    })
  })
})
