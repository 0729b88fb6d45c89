import { Match } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, it } from 'vitest'
import { ROTATION_DAYS } from '../../infra/constructs/database-secrets.ts'
import { IDLE_SECONDS, PROBE_SECONDS, PROBES_UNTIL_GONE } from '../../infra/constructs/front-door.ts'
import { RESTART_DAYS } from '../../infra/constructs/weekly-restart.ts'
import { STAGES, stageNamed } from '../../infra/stages.ts'
import { KEEP_ALIVE_MS } from '../../src/http/server.ts'
import { type SynthesizedStage, synthesized } from '../support/infra.ts'

let prod: SynthesizedStage
beforeAll(() => {
  prod = synthesized('prod')
})

/** A failover of RDS with two instances takes up to two minutes. */
const FAILOVER_SECONDS = 120

describe('the load balancer', () => {
  it('closes idle connections before the program does, which would answer 502', () => {
    expect(IDLE_SECONDS * 1000).toBeLessThan(KEEP_ALIVE_MS)
    prod.template('service').hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'idle_timeout.timeout_seconds', Value: String(IDLE_SECONDS) },
        { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
      ]),
    })
  })

  it('asks for readiness, and gives nobody up while the database fails over', () => {
    expect(PROBE_SECONDS * PROBES_UNTIL_GONE).toBeGreaterThan(2 * FAILOVER_SECONDS)
    prod.template('service').hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/readyz',
      HealthCheckIntervalSeconds: PROBE_SECONDS,
      UnhealthyThresholdCount: PROBES_UNTIL_GONE,
    })
  })

  it('speaks TLS and nothing else, with a firewall before it', () => {
    const listeners = prod.template('service').findResources('AWS::ElasticLoadBalancingV2::Listener')
    expect(Object.values(listeners).map(({ Properties }) => [Properties.Port, Properties.Protocol])).toEqual([
      [443, 'HTTPS'],
    ])
    prod.template('service').resourceCountIs('AWS::WAFv2::WebACLAssociation', 1)
  })

  it('lets imports of any size through its firewall, and writes no key into its log', () => {
    const [acl] = Object.values(prod.template('service').findResources('AWS::WAFv2::WebACL'))
    const text = JSON.stringify(acl)
    expect(text).toMatch(/"ActionToUse":\{"Count":\{\}\},"Name":"SizeRestrictions_BODY"/)
    prod.template('service').hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
      RedactedFields: Match.arrayWith([{ SingleHeader: { Name: 'authorization' } }]),
    })
  })
})

describe('a release', () => {
  it('keeps all tasks until new ones are ready, and goes back by itself when they fail', () => {
    prod.template('service').hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        Alarms: { Enable: true, Rollback: true, AlarmNames: Match.anyValue() },
      },
      EnableExecuteCommand: false,
    })
  })

  it('starts tasks when they may read their secrets, and not before', () => {
    const service = Object.values(prod.template('service').findResources('AWS::ECS::Service'))[0]
    const policies = Object.keys(prod.template('service').findResources('AWS::IAM::Policy'))
    const ofTask = policies.filter((id) => /^Serve.*(Execution|Task)RoleDefaultPolicy/.test(id))
    expect(ofTask).toHaveLength(2)
    expect(service?.DependsOn).toEqual(expect.arrayContaining(ofTask))
  })

  it('counts as failed what tasks answer with 5xx, and what the load balancer has to answer for them', () => {
    const [alarm] = Object.entries(prod.template('service').findResources('AWS::CloudWatch::Alarm'))
    const metrics: { Id: string; Expression?: string; MetricStat?: { Metric: { MetricName: string } } }[] =
      alarm?.[1].Properties.Metrics
    const counted = metrics.filter(({ MetricStat }) => MetricStat?.Metric.MetricName.includes('5XX'))
    expect(counted.map(({ MetricStat }) => MetricStat?.Metric.MetricName).sort()).toEqual([
      'HTTPCode_ELB_5XX_Count',
      'HTTPCode_Target_5XX_Count',
    ])
    // Without FILL a minute in which only one of the two was counted would be no minute at all.
    const { Expression } = metrics.find((metric) => metric.Expression !== undefined)!
    for (const { Id } of counted) expect(Expression).toContain(`FILL(${Id}, 0)`)
    const services = Object.values(prod.template('service').findResources('AWS::ECS::Service'))
    expect(services[0]?.Properties.DeploymentConfiguration.Alarms.AlarmNames).toEqual([{ Ref: alarm?.[0] }])
  })

  it('has its migrations in a stack of their own, before everything that answers or writes', () => {
    const { cluster, tasks, service } = prod.stage
    expect(tasks.dependencies).toContain(cluster)
    expect(service?.dependencies).toContain(cluster)
    for (const stack of [tasks, service]) expect(cluster.dependencies).not.toContain(stack)
    const commands = Object.values(prod.template('cluster').findResources('AWS::ECS::TaskDefinition')).map(
      ({ Properties }) => Properties.ContainerDefinitions[0].Command[0],
    )
    expect(commands.sort()).toEqual(['keys', 'migrate'])
  })
})

describe('the number of tasks', () => {
  it('is two at least, and grows by load and by requests', () => {
    for (const { compute, service } of STAGES.filter((stage) => stage.compute === 'fargate')) {
      expect(service.min, compute).toBeGreaterThanOrEqual(2)
    }
    prod.template('service').hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 2,
      MaxCapacity: 8,
    })
    const policies = prod.template('service').findResources('AWS::ApplicationAutoScaling::ScalingPolicy')
    const metrics = Object.values(policies).map(
      ({ Properties }) =>
        Properties.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType,
    )
    expect(metrics.sort()).toEqual(['ALBRequestCountPerTarget', 'ECSServiceAverageCPUUtilization'])
  })

  it('fits, at its most and twice over while a release goes out, into the connections of the database', () => {
    const { service, database } = stageNamed('prod')
    expect(database.instance).toBe('m7g.large')
    // RDS: memory / 9,531,392, of which it keeps some for itself. Each task has a pool of 10; jobs of Spark take up to 64.
    const connections = Math.floor((8 * 1024 ** 3 * 0.9) / 9_531_392)
    expect(2 * service.max * 10 + 64).toBeLessThan(connections)
  })
})

describe('passwords of the database', () => {
  it('stay valid for every task that runs: all are replaced more often than a rotation comes', () => {
    expect(RESTART_DAYS).toBeLessThan(ROTATION_DAYS)
    const schedules = Object.values(prod.template('service').findResources('AWS::Scheduler::Schedule'))
    expect(schedules).toHaveLength(1)
    const { Properties } = schedules[0]!
    expect(Properties.ScheduleExpression).toBe('cron(0 9 ? * TUE *)')
    expect(JSON.stringify(Properties.Target)).toContain('aws-sdk:ecs:updateService')
    expect(JSON.stringify(Properties.Target)).toContain('ForceNewDeployment')
    expect(Properties.Target.DeadLetterConfig).toBeDefined()
  })

  it('are changed by the same rule for all three users, and not before the users are there', () => {
    const schedules = Object.values(prod.template('database').findResources('AWS::SecretsManager::RotationSchedule'))
    expect(schedules).toHaveLength(3)
    for (const { Properties } of schedules) {
      expect(Properties.RotateImmediatelyOnUpdate).toBe(false)
      expect(JSON.stringify(Properties.RotationRules)).toContain(String(ROTATION_DAYS))
    }
    const users = Object.values(prod.template('database').findResources('AWS::SecretsManager::Secret')).filter(
      ({ Properties }) => Properties.GenerateSecretString?.GenerateStringKey === 'password',
    )
    // Two of them take turns with a second user, which the owner makes.
    const withMaster = users.filter(({ Properties }) =>
      JSON.stringify(Properties.GenerateSecretString).includes('masterarn'),
    )
    expect([users.length, withMaster.length]).toEqual([3, 2])
  })
})

describe('the functions that rotate', () => {
  it('reach Secrets Manager and the database, and have the key of the secrets', () => {
    for (const { name } of STAGES) {
      const applications = Object.values(
        synthesized(name).template('database').findResources('AWS::Serverless::Application'),
      )
      expect(applications, name).toHaveLength(3)
      for (const { Properties } of applications) {
        const { vpcSubnetIds, vpcSecurityGroupIds, kmsKeyArn } = Properties.Parameters
        expect(JSON.stringify(vpcSubnetIds), name).toMatch(/privateSubnet1.*privateSubnet2/)
        expect(JSON.stringify(vpcSecurityGroupIds), name).toContain('RotationGroup')
        expect(kmsKeyArn, name).toBeDefined()
      }
    }
  })
})

describe('the schedules of the lake', () => {
  it('tell the snapshot for which instant it is due, try again, and keep what they gave up', () => {
    const schedules = Object.values(prod.template('tasks').findResources('AWS::Scheduler::Schedule')).map(
      ({ Properties }) => Properties,
    )
    expect(schedules).toHaveLength(3)
    const inputs = schedules.map(({ Target }) => JSON.parse(Target.Input).containerOverrides[0])
    expect(inputs).toContainEqual({
      name: 'accounts',
      command: ['snapshot', '--json', '--scheduled', '<aws.scheduler.scheduled-time>'],
    })
    expect(inputs).toContainEqual({ name: 'accounts', command: ['care', '--json'] })
    expect(inputs).toContainEqual({ name: 'accounts', command: ['verify', '--all', '--json'] })
    for (const { Target, FlexibleTimeWindow, State } of schedules) {
      expect(Target.DeadLetterConfig).toBeDefined()
      expect(Target.RetryPolicy).toMatchObject({ MaximumRetryAttempts: 20, MaximumEventAgeInSeconds: 3000 })
      expect(FlexibleTimeWindow).toEqual({ Mode: 'OFF' })
      expect(State ?? 'ENABLED').toBe('ENABLED')
    }
  })

  it('verify the lake every day, while what was deleted the day before can be had back: S3 forgets it at midnight, UTC', () => {
    for (const { name } of STAGES) {
      synthesized(name).template('tasks').hasResourceProperties('AWS::Scheduler::Schedule', {
        Description: 'Verification of the lake',
        ScheduleExpression: 'cron(40 4 * * ? *)',
        ScheduleExpressionTimezone: 'UTC',
      })
    }
  })

  it('are the same that the service counts the age of snapshots by', () => {
    for (const name of ['dev', 'prod', 'small'] as const) {
      const { snapshot } = stageNamed(name)
      const stage = synthesized(name)
      expect(stage.stage.tasks.settings).toMatchObject({
        LAKE_SCHEDULE: snapshot.cron,
        LAKE_SCHEDULE_ZONE: snapshot.zone,
      })
      stage.template('tasks').hasResourceProperties('AWS::Scheduler::Schedule', {
        ScheduleExpressionTimezone: snapshot.zone,
        Description: 'Snapshots of the lake',
      })
    }
  })
})
