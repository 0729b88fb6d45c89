import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { databaseMemoryBytes } from '../../infra/constructs/database-alarms.ts'
import { NOTICES } from '../../infra/constructs/failure-notices.ts'
import { COUNT_METRICS, PROCESS_METRICS, STATE_METRICS } from '../../infra/constructs/program-metrics.ts'
import { ROOT } from '../../infra/root.ts'
import { STAGES, stageNamed } from '../../infra/stages.ts'
import { synthesized } from '../support/infra.ts'

interface AlarmProperties {
  readonly AlarmName: string
  readonly AlarmDescription: string
  readonly AlarmActions: readonly { readonly Ref: string }[]
  readonly OKActions: readonly { readonly Ref: string }[]
  readonly Threshold: number
  readonly ComparisonOperator: string
  readonly TreatMissingData: string
  readonly MetricName?: string
  readonly Namespace?: string
  readonly Statistic?: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[]
  readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: { readonly Stat: string } }[]
}

const stages = STAGES.map(({ name }) => name)

function of<Properties>(stage: (typeof stages)[number], type: string): Properties[] {
  const found = synthesized(stage).template('watch').findResources(type)
  return Object.values(found).map(({ Properties: given }) => given as Properties)
}
const alarmsOf = (stage: (typeof stages)[number]) => of<AlarmProperties>(stage, 'AWS::CloudWatch::Alarm')
const shortName = (stage: string, { AlarmName }: AlarmProperties) =>
  AlarmName.replace(`rocketgames-accounts-${stage}-`, '')

/** What must not vanish, whoever tidies up. */
const EVERYWHERE = [
  ...['snapshot-too-old', 'snapshot-not-published', 'snapshot-failed', 'catalogue-drift'],
  ...['server-errors', 'requests-slow', 'migrations-pending', 'jobs-waiting', 'metrics-silent'],
  ...['database-cpu', 'database-storage', 'database-connections', 'database-memory', 'database-disk-slow'],
  ...['database-transaction-ids', 'schedule-dead-letter', 'queries-dear'],
]
const OF_TASKS = ['api-down', 'replicas-missing', 'load-balancer-errors', 'requests-failing', 'replicas-at-limit']
const OF_PROCESSES = ['event-loop-blocked', 'memory-high', 'pool-exhausted']
const OF_FUNCTIONS = ['function-errors', 'function-throttled', 'function-near-timeout', 'gateway-errors']

describe('the alarms', () => {
  it.each([
    ['dev', [...EVERYWHERE, ...OF_TASKS, ...OF_PROCESSES, 'database-credits']],
    ['prod', [...EVERYWHERE, ...OF_TASKS, ...OF_PROCESSES]],
    ['small', [...EVERYWHERE, ...OF_FUNCTIONS, 'database-credits']],
  ] as const)('of %s are these', (stage, names) => {
    expect(
      alarmsOf(stage)
        .map((each) => shortName(stage, each))
        .sort(),
    ).toEqual([...names].sort())
  })

  it.each(stages)('of %s say what is wrong, what to do first, and where more stands', (stage) => {
    for (const alarm of alarmsOf(stage)) {
      const name = shortName(stage, alarm)
      expect(alarm.AlarmDescription).toMatch(/^\[(page|ticket)\] .{30,} First: .{20,}/)
      expect(alarm.AlarmDescription.endsWith(`Then: docs/operations.md#${name}`)).toBe(true)
      expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024)
    }
  })

  it.each(stages)('of %s tell the topic of their severity that they came and that they went', (stage) => {
    for (const { AlarmDescription, AlarmActions, OKActions } of alarmsOf(stage)) {
      const [severity = ''] = /page|ticket/.exec(AlarmDescription) ?? []
      expect(AlarmActions).toEqual([{ Ref: expect.stringMatching(new RegExp(`^Topics${severity}[0-9A-F]{8}$`)) }])
      expect(OKActions).toEqual(AlarmActions)
    }
  })

  it('look at metrics of the stage that the program writes, state by its maximum', () => {
    const written = ['commands/watched-metrics.ts', 'telemetry/metric-reporter.ts']
      .map((file) => readFileSync(path.join(ROOT, 'src', file), 'utf8'))
      .join('\n')
    for (const name of [...STATE_METRICS, ...COUNT_METRICS, ...PROCESS_METRICS]) expect(written).toContain(`'${name}'`)
    const ours = alarmsOf('prod').filter(({ Namespace }) => Namespace === 'RocketGames/Accounts')
    expect(ours.length).toBeGreaterThan(8)
    for (const { Dimensions, MetricName = '', Statistic } of ours) {
      expect(Dimensions).toEqual([{ Name: 'Stage', Value: 'prod' }])
      if (STATE_METRICS.some((name) => name === MetricName)) expect(Statistic).toBe('Maximum')
    }
  })

  it('come where nobody writes metrics and where no task is ready, also when there are no figures at all', () => {
    const silent = (stage: (typeof stages)[number]) =>
      alarmsOf(stage)
        .filter(({ TreatMissingData }) => TreatMissingData === 'breaching')
        .map((each) => shortName(stage, each))
        .sort()
    expect(silent('prod')).toEqual(['api-down', 'metrics-silent', 'replicas-missing'])
    expect(silent('small')).toEqual(['metrics-silent'])
  })

  it('add up what there is, since a queue or a work group without values would hide the others', () => {
    const expressions = stages.flatMap((stage) =>
      alarmsOf(stage)
        .filter((each) => ['schedule-dead-letter', 'queries-dear'].includes(shortName(stage, each)))
        .map(({ Metrics = [] }) => Metrics.flatMap(({ Expression }) => Expression ?? [])),
    )
    expect(expressions).toEqual(Array.from({ length: 6 }, () => ['SUM(METRICS())']))
  })

  it('say nothing of slow requests where there are too few to tell', () => {
    const slow = alarmsOf('dev').find((each) => shortName('dev', each) === 'requests-slow')
    expect(slow?.Metrics?.flatMap(({ Expression }) => Expression ?? [])).toEqual(['IF(timed >= 100, slowest, 0)'])
    expect(slow?.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Stat ?? []).sort()).toEqual(['SampleCount', 'p99'])
  })

  it("know that a part of the memory of a task is the collector's", () => {
    const memory = alarmsOf('dev').find((each) => shortName('dev', each) === 'memory-high')
    expect(memory?.Threshold).toBe(0.85 * (1024 - 160) * 1024 * 1024)
  })

  it('know how much memory the database has, and refuse a class that they do not know', () => {
    expect(
      ['t4g.small', 't4g.medium', 'm7g.large', 'r7g.large'].map((each) => databaseMemoryBytes(each) / 1024 ** 3),
    ).toEqual([2, 4, 8, 16])
    expect(() => databaseMemoryBytes('x2g.odd')).toThrow('x2g.odd')
    const connections = alarmsOf('small').find((each) => shortName('small', each) === 'database-connections')
    // t4g.small: about 200 by the rule of RDS, four fifths of them.
    expect(connections?.Threshold).toBeGreaterThan(140)
    expect(connections?.Threshold).toBeLessThan(180)
  })
})

describe('the topics', () => {
  it.each(stages)(
    'of %s are encrypted, take mail addresses of the settings, and messages of this account over TLS',
    (stage) => {
      const topics = of<{ KmsMasterKeyId: unknown }>(stage, 'AWS::SNS::Topic')
      expect(topics).toHaveLength(2)
      expect(topics.every(({ KmsMasterKeyId }) => KmsMasterKeyId !== undefined)).toBe(true)
      const mail = of<{ Endpoint: string; Protocol: string }>(stage, 'AWS::SNS::Subscription')
      expect(mail.map(({ Endpoint, Protocol }) => `${Protocol}:${Endpoint}`)).toEqual(
        topics.map(() => `email:${stageNamed(stage).alarmEmail}`),
      )
      for (const { PolicyDocument } of of<{ PolicyDocument: { Statement: Record<string, unknown>[] } }>(
        stage,
        'AWS::SNS::TopicPolicy',
      )) {
        const denied = PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Deny')
        expect(denied.map(({ Condition }) => Condition)).toEqual([{ Bool: { 'aws:SecureTransport': 'false' } }])
        const senders = PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').map(
          ({ Principal }) => Principal,
        )
        expect(senders.every((each) => typeof each === 'object' && each !== null && 'Service' in each)).toBe(true)
      }
    },
  )
})

/** Whether an event pattern of EventBridge matches: values, `prefix`, `anything-but`, `$or`; arrays of an event match by any of theirs. */
function fits(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((each) => fits(pattern, each))
  if (Array.isArray(pattern)) {
    return pattern.some((each) => {
      if (typeof each !== 'object' || each === null) return each === event
      const { prefix, 'anything-but': but } = each as { prefix?: string; 'anything-but'?: unknown }
      if (prefix !== undefined) return String(event).startsWith(prefix)
      return event !== undefined && ![but].flat().includes(event)
    })
  }
  return Object.entries(pattern as Record<string, unknown>).every(([key, inner]) =>
    key === '$or'
      ? (inner as unknown[]).some((each) => fits(each, event))
      : typeof event === 'object' && event !== null && fits(inner, (event as Record<string, unknown>)[key]),
  )
}

describe('the notices of what failed', () => {
  const rules = of<{ EventPattern: { source: string[]; detail: Record<string, unknown> }; Description: string }>(
    'prod',
    'AWS::Events::Rule',
  )
  const notified = (event: unknown) =>
    rules
      .filter(({ EventPattern }) => fits(EventPattern, event))
      .map(({ Description }) => /#([a-z-]+)/.exec(Description)?.[1])

  /** The pattern names the cluster by a reference; the event then, too. */
  const task = (detail: Record<string, unknown>) => {
    const pattern = rules.find(({ EventPattern: { source } }) => source[0] === 'aws.ecs')?.EventPattern
    const [clusterArn] = (pattern?.detail.clusterArn as unknown[]) ?? []
    const event = { source: 'aws.ecs', 'detail-type': 'ECS Task State Change', detail: { ...detail, clusterArn: 'x' } }
    return (
      pattern !== undefined &&
      clusterArn !== undefined &&
      fits({ ...pattern, detail: { ...pattern.detail, clusterArn: ['x'] } }, event)
    )
  }
  const snapshot = { group: 'family:rocketgames-accounts-prod-snapshot', lastStatus: 'STOPPED' }

  it('come for tasks that end badly or do not start, and not for those that end well or still run', () => {
    const ended = { ...snapshot, stopCode: 'EssentialContainerExited' }
    const program = (exitCode: number) => ({ name: 'accounts', exitCode })
    expect(task({ ...ended, containers: [program(1)] })).toBe(true)
    expect(task({ ...snapshot, stopCode: 'TaskFailedToStart', containers: [{}] })).toBe(true)
    expect(task({ ...ended, containers: [program(0)] })).toBe(false)
    expect(task({ ...ended, containers: [program(0), { name: 'traces', exitCode: 143 }] })).toBe(false)
    expect(task({ ...ended, containers: [program(1), { name: 'traces', exitCode: 0 }] })).toBe(true)
    expect(task({ ...ended, lastStatus: 'RUNNING', containers: [program(1)] })).toBe(false)
    expect(task({ ...ended, group: 'service:api', containers: [program(1)] })).toBe(false)
  })

  it('come for jobs and crawls that fail', () => {
    const event = (type: string, detail: unknown) => notified({ source: 'aws.glue', 'detail-type': type, detail })
    expect(event('Glue Job State Change', { jobName: 'rocketgames-curate', state: 'FAILED' })).toEqual(['glue-failed'])
    expect(event('Glue Job State Change', { jobName: 'rocketgames-curate', state: 'SUCCEEDED' })).toEqual([])
    expect(event('Glue Job State Change', { jobName: 'another', state: 'FAILED' })).toEqual([])
    expect(event('Glue Crawler State Change', { crawlerName: 'rocketgames-lake-v1', state: 'Failed' })).toEqual([
      'glue-failed',
    ])
  })

  it('of the database are asked for when RDS may send them', () => {
    for (const stage of stages) {
      const found = synthesized(stage).template('watch').findResources('AWS::RDS::EventSubscription')
      expect(Object.values(found).map(({ DependsOn }) => DependsOn)).toEqual([
        [expect.stringMatching(/^TopicsticketPolicy/)],
      ])
    }
  })

  it('come for failovers of the database', () => {
    const [events] = of<{ EventCategories: string[] }>('prod', 'AWS::RDS::EventSubscription')
    expect(events?.EventCategories).toEqual(expect.arrayContaining(['failover', 'failure', 'low storage']))
  })
})

describe('the budget', () => {
  it.each(stages)('of %s is of its own resources, by their tags', (stage) => {
    const [budget] = of<{ Budget: Record<string, unknown>; NotificationsWithSubscribers: unknown[] }>(
      stage,
      'AWS::Budgets::Budget',
    )
    expect(budget?.Budget.BudgetLimit).toEqual({ Amount: stageNamed(stage).budgetUsd, Unit: 'USD' })
    const tags = [
      { Tags: { Key: 'application', Values: ['rocketgames-accounts'], MatchOptions: ['EQUALS'] } },
      { Tags: { Key: 'stage', Values: [stage], MatchOptions: ['EQUALS'] } },
    ]
    expect(budget?.Budget.FilterExpression).toEqual({ And: tags })
    expect(budget?.NotificationsWithSubscribers).toHaveLength(3)
    // Its own for each set of notices: a budget whose notices change is replaced.
    expect(budget?.Budget.BudgetName).toMatch(new RegExp(`^rocketgames-accounts-${stage}-[0-9a-f]{8}$`))
  })
})

describe('the runbook', () => {
  const file = path.join(ROOT, 'docs/operations.md')
  it.skipIf(!existsSync(file))('has a section for every alarm and every notice', () => {
    const headings = new Set([...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading))
    const names = [...EVERYWHERE, ...OF_TASKS, ...OF_PROCESSES, ...OF_FUNCTIONS, 'database-credits', ...NOTICES]
    expect(names.filter((name) => !headings.has(name))).toEqual([])
  })
})
