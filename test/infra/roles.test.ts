import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { holders, roleDocument } from '../../infra/audit/role-document.ts'
import { roleName } from '../../infra/audit/role-names.ts'
import { rolesOf } from '../../infra/generate-roles.ts'
import { ROOT } from '../../infra/root.ts'
import { synthesized } from '../support/infra.ts'

const stages = (['dev', 'prod', 'small'] as const).map((name) => rolesOf(synthesized(name).stage))
const [, prod, small] = stages
const READERS = ['ReadersAnalysts', 'ReadersEngineers', 'ReadersReports']
const WRITERS = ['task care', 'task snapshot']

/** Who may do what in prod, in full: a new holder of a power is a decision, not an accident. `(if)`: under a condition. */
const PROD: Readonly<Record<string, readonly string[]>> = {
  'read files of snapshots': [
    ...READERS,
    'crawler rocketgames-lake-v1',
    'job rocketgames-curate',
    'task serve',
    ...WRITERS,
  ],
  'read rows of persons, each a pseudonym': [
    ...READERS.slice(0, 2),
    ...['crawler rocketgames-lake-v1', 'job rocketgames-curate', 'task serve', ...WRITERS],
  ],
  'write files of snapshots': ['job rocketgames-unload (if)', ...WRITERS],
  'delete files of snapshots': WRITERS,
  'say which snapshot is shown': WRITERS,
  'write curated tables': ['job rocketgames-curate'],
  'remove versions of objects for good': [],
  'change rules of buckets': [],
  "read results of the service's queries": ['job rocketgames-curate', 'task serve', ...WRITERS],
  "read results of analysts' queries": ['ReadersAnalysts'],
  'change the catalogue': ['crawler rocketgames-lake-v1', 'job rocketgames-curate', ...WRITERS],
  'read the pepper of API keys': ['start of task keys', 'start of task serve'],
  'read the key of cursors': ['start of task serve'],
  'read the key of pseudonyms': ['job rocketgames-unload', 'start of task care', 'start of task snapshot'],
  "read the password of the database's owner": ['start of task migrate'],
  "read the password of the service's user": ['start of task keys', 'start of task migrate', 'start of task serve'],
  "read the password of the exporter's user": [
    ...['job rocketgames-unload', 'start of task care', 'start of task migrate', 'start of task snapshot'],
  ],
  'change secrets': [],
  'end or open keys of KMS': [],
  'start tasks': ['schedule CareSchedule', 'schedule SnapshotSchedule', 'schedule VerifySchedule', 'task serve (if)'],
  'start jobs, with any code': WRITERS,
  'change what runs, or enter it': ['schedule WeeklyRestartSchedule'],
  'change who may do what': [],
  'become another role': [],
  'change the database server': [],
  'read logs of the program': [],
  'read logs of Glue': ['ReadersEngineers'],
  'delete logs': [],
}

/** In small a function answers, which reads its secrets itself, and a task does its jobs. */
const FUNCTION: Readonly<Record<string, string>> = {
  'task serve': 'function rocketgames-accounts-small',
  'task serve (if)': 'function rocketgames-accounts-small (if)',
  'start of task serve': 'function rocketgames-accounts-small',
}
const MORE_IN_SMALL: Readonly<Record<string, readonly string[]>> = {
  "read the password of the service's user": ['start of task work'],
  'start tasks': ['schedule WorkSchedule'],
}
const LESS_IN_SMALL = ['schedule WeeklyRestartSchedule']

const sorted = (held: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(held).map(([power, roles]) => [power, [...roles].sort()]))

function may(stage: (typeof stages)[number] | undefined, name: string, action: string, resource: string, context = {}) {
  const role = stage?.access.roles.find((each) => roleName(each, stage.stage) === name)
  if (!stage || !role) throw new Error(`No role is called ${name}`)
  return stage.access.decide(role, action, resource, context)
}

describe('the roles of a stage', () => {
  it('stand in docs/roles.md as they are in the templates: npm run generate:roles', () => {
    expect(readFileSync(path.join(ROOT, 'docs/roles.md'), 'utf8')).toBe(roleDocument(stages))
  })

  it('have the powers that they are to have in prod, and no role has another', () => {
    expect(Object.fromEntries(prod ? holders(prod) : [])).toEqual(sorted(PROD))
  })

  it('have the same in dev', () => {
    const [dev, prod] = stages.map(holders)
    expect(dev).toEqual(prod)
  })

  it('have them in small, where a function stands for the task that answers', () => {
    const expected = Object.entries(PROD).map(([power, roles]) => [
      power,
      [...roles.map((each) => FUNCTION[each] ?? each), ...(MORE_IN_SMALL[power] ?? [])].filter(
        (each) => !LESS_IN_SMALL.includes(each),
      ),
    ])
    expect(Object.fromEntries(small ? holders(small) : [])).toEqual(sorted(Object.fromEntries(expected)))
  })

  it('start tasks of their own families alone: the API none whose command it could replace', () => {
    const started = (name: string, family: string) =>
      may(prod, name, 'ecs:RunTask', `arn:aws:ecs:REGION:ACCOUNT:task-definition/rocketgames-accounts-prod-${family}:7`)
    const asked = ['asked-snapshot', 'asked-care'].map((family) => started('task serve', family))
    expect(asked).toEqual(['conditional', 'conditional'])
    for (const family of ['snapshot', 'care', 'migrate', 'keys', 'serve', 'asked-other'])
      expect(started('task serve', family), family).toBe('not granted')
    expect(started('schedule CareSchedule', 'snapshot')).toBe('not granted')
  })

  it('pass on roles to ECS alone, and only those of the tasks that they start', () => {
    const roles = prod?.access.roles ?? []
    const passing = roles.flatMap((role) =>
      roles
        .filter((other) => prod?.access.decide(role, 'iam:PassRole', other.resource.arn) !== 'not granted')
        .map((other) => `${roleName(role, 'prod')}: ${roleName(other, 'prod')}`),
    )
    const both = (family: string) => [`task ${family}`, `start of task ${family}`]
    expect(passing.sort()).toEqual(
      [
        ...[...both('snapshot'), ...both('care')].map((each) => `task serve: ${each}`),
        ...both('snapshot').map((each) => `schedule SnapshotSchedule: ${each}`),
        ...both('snapshot').map((each) => `schedule VerifySchedule: ${each}`),
        ...both('care').map((each) => `schedule CareSchedule: ${each}`),
      ].sort(),
    )
    const arn = roles.find((role) => roleName(role, 'prod') === 'task snapshot')?.resource.arn ?? ''
    const to = (service: string) => may(prod, 'task serve', 'iam:PassRole', arn, { 'iam:passedtoservice': service })
    expect([to('ecs-tasks.amazonaws.com'), to('lambda.amazonaws.com')]).toEqual(['allowed', 'not granted'])
  })

  it('do nothing in AWS while they migrate or make keys', () => {
    const idle = prod?.access.roles.filter(({ statements }) => statements.length === 0)
    expect(idle?.map((role) => roleName(role, 'prod')).sort()).toEqual(['task keys', 'task migrate'])
  })

  it('read nothing without TLS', () => {
    const [lake] = prod?.access.resources.filter(({ type, name }) => /Bucket$/.test(type) && /Lake$/.test(name)) ?? []
    const plain = { 'aws:securetransport': 'false' }
    expect(may(prod, 'ReadersAnalysts', 's3:GetObject', `${lake?.arn}/lake/v1/*`)).toBe('allowed')
    expect(may(prod, 'ReadersAnalysts', 's3:GetObject', `${lake?.arn}/lake/v1/*`, plain)).toBe('denied')
  })
})
