import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'
import { SETTINGS, unknownSettings } from '../src/settings.ts'

const PARTS = {
  DATABASE_HOST: 'accounts.cluster-1.eu-central-1.rds.amazonaws.com',
  DATABASE_NAME: 'accounts',
  DATABASE_USER: 'accounts_service',
  DATABASE_PASSWORD: 'p@ss:/?#[]%41 "\'\\$',
}
const LAKE = { LAKE_BUCKET: 'lake', LAKE_RESULTS: 's3://results/' }
const ECS = {
  ...LAKE,
  LAKE_RUNNER: 'ecs',
  LAKE_ECS_CLUSTER: 'accounts',
  LAKE_ECS_SNAPSHOT_TASK: 'accounts-snapshot',
  LAKE_ECS_CARE_TASK: 'accounts-care',
  LAKE_ECS_CONTAINER: 'accounts',
  LAKE_ECS_SUBNETS: 'subnet-1, subnet-2',
  LAKE_ECS_SECURITY_GROUPS: 'sg-1',
}

const without = (values: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(values).filter(([each]) => each !== name))

describe('the parts of the address of the database', () => {
  it('reach the driver as they were given, with a server that must prove its name', () => {
    const client = new pg.Client(parseConfig(PARTS).databaseUrl)
    expect([client.host, client.port, client.database, client.user]).toEqual([
      PARTS.DATABASE_HOST,
      5432,
      'accounts',
      'accounts_service',
    ])
    expect((client as pg.Client & { password: string }).password).toBe(PARTS.DATABASE_PASSWORD)
    const { ssl } = client as pg.Client & { ssl: Record<string, unknown> }
    expect(ssl).toBeTruthy()
    expect(ssl.rejectUnauthorized).not.toBe(false)
    expect(ssl.checkServerIdentity).toBeUndefined()
  })

  it('name a file of certificates and another port', () => {
    const { databaseUrl = '' } = parseConfig({
      ...PARTS,
      DATABASE_PORT: '6432',
      DATABASE_SSL_CA: '/etc/ssl/rds ca.pem',
    })
    const url = new URL(databaseUrl)
    expect(url.port).toBe('6432')
    expect(url.searchParams.get('sslrootcert')).toBe('/etc/ssl/rds ca.pem')
  })

  it.each(Object.keys(PARTS))('are needed all: %s', (name) => {
    expect(() => parseConfig(without(PARTS, name))).toThrow(`${name} must be set as well`)
  })

  it('stand in place of DATABASE_URL, never beside it', () => {
    expect(() => parseConfig({ ...PARTS, DATABASE_URL: 'postgresql://localhost/x' })).toThrow('not both')
  })
})

describe('LAKE_RUNNER=ecs', () => {
  it('knows where its tasks run', () => {
    expect(parseConfig(ECS).lake?.ecs).toEqual({
      cluster: 'accounts',
      snapshotTask: 'accounts-snapshot',
      careTask: 'accounts-care',
      container: 'accounts',
      subnets: ['subnet-1', 'subnet-2'],
      securityGroups: ['sg-1'],
    })
  })

  it.each(Object.keys(ECS).filter((name) => name.startsWith('LAKE_ECS_')))('needs %s', (name) => {
    expect(() => parseConfig(without(ECS, name))).toThrow(`LAKE_RUNNER is ecs, so ${name} must be set as well`)
  })
})

describe('settings that only some commands use', () => {
  it('may be absent: no key of pseudonyms, no pepper, no key of cursors', () => {
    const { apiKeyPepper, cursorKey, lake } = parseConfig({ ...PARTS, ...LAKE })
    expect([apiKeyPepper, cursorKey, lake?.pseudonymKey]).toEqual([undefined, undefined, undefined])
  })

  it('have the defaults of a program that does everything itself', () => {
    const { lake, metrics, migrateAtStart, otlpEndpoint, stage } = parseConfig(LAKE)
    expect([lake?.scheduler, lake?.runner, metrics, migrateAtStart, otlpEndpoint, stage]).toEqual([
      'service',
      'child',
      'none',
      true,
      undefined,
      'local',
    ])
  })
})

it('no refusal of a setting shows its value', () => {
  const secret = 'much too secret'
  const names = [
    'API_KEY_PEPPER',
    'LAKE_PSEUDONYM_KEY',
    'DATABASE_NAME',
    'DATABASE_SERVICE_PASSWORD',
    'STAGE',
    'METRICS',
  ]
  for (const name of names) {
    expect(() => parseConfig({ [name]: secret })).toThrow(name)
    expect(() => parseConfig({ [name]: secret })).not.toThrow(secret)
  }
})

it.each([
  ['PORT', 'abc', 'PORT: must be a whole number from 0 to 65535'],
  ['PORT', '99999', 'PORT: must be a whole number from 0 to 65535'],
  ['DATABASE_POOL', '1.5', 'DATABASE_POOL: must be a whole number from 1 to 200'],
  ['LAKE_READERS', '9', 'LAKE_READERS: must be a whole number from 1 to 8'],
  ['LAKE_DAILY_DAYS', 'all', 'LAKE_DAILY_DAYS: must be a whole number of days'],
  ['AWS_ENDPOINT_URL', 'foo', 'AWS_ENDPOINT_URL: must be an address such as http://127.0.0.1:4566'],
  ['DATABASE_URL', 'mysql://u:hidden@h/d', 'DATABASE_URL: must be postgresql://user:password@host:port/database'],
  [
    'DATABASE_URL',
    'postgresql://u:hidden@h:no/d',
    'DATABASE_URL: must be postgresql://user:password@host:port/database',
  ],
  ['DATABASE_URL', 'postgresql://u:hid/den@h/d', 'DATABASE_URL: must be postgresql://user:password@host:port/database'],
])('%s that cannot be used says what it allows: %s', (name, value, message) => {
  expect(() => parseConfig({ [name]: value })).toThrow(message)
  expect(() => parseConfig({ [name]: value })).not.toThrow('hidden')
})

it.each([
  'postgresql://u:p@127.0.0.1:5432/d',
  'postgres://h/d?sslmode=verify-full',
  'postgresql://u:p@/d?host=/run/postgresql',
  'postgresql:///d?host=/run/postgresql',
])('an address of a database that the driver reads is taken: %s', (value) => {
  expect(parseConfig({ DATABASE_URL: value }).databaseUrl).toBe(value)
  expect(new pg.Client(value).database).toBe('d')
})

it('the version of the pseudonym key may stand in front of it, and then holds', () => {
  const lake = (settings: Record<string, string>) => {
    const { lake } = parseConfig({
      LAKE_BUCKET: 'lake',
      LAKE_RESULTS: 's3://results/',
      AWS_REGION: 'eu-central-1',
      ...settings,
    })
    return [lake?.pseudonymKey?.toString('hex'), lake?.pseudonymKeyVersion]
  }
  const key = '0a'.repeat(32)
  expect(lake({ LAKE_PSEUDONYM_KEY: key })).toEqual([key, 1])
  expect(lake({ LAKE_PSEUDONYM_KEY: key, LAKE_PSEUDONYM_KEY_VERSION: '3' })).toEqual([key, 3])
  expect(lake({ LAKE_PSEUDONYM_KEY: `2:${key}` })).toEqual([key, 2])
  expect(lake({ LAKE_PSEUDONYM_KEY: `4:${key}`, LAKE_PSEUDONYM_KEY_VERSION: '3' })).toEqual([key, 4])
  expect(lake({})).toEqual([undefined, 1])
  for (const wrong of [`0:${key}`, `:${key}`, `2:2:${key}`, `2:${key}ff`]) {
    expect(() => lake({ LAKE_PSEUDONYM_KEY: wrong })).toThrow('LAKE_PSEUDONYM_KEY')
  }
})

it('a user to be made has a name and a password, or neither', () => {
  expect(() => parseConfig({ DATABASE_SERVICE_USER: 'accounts_service' })).toThrow('DATABASE_SERVICE_PASSWORD')
  const DATABASE_EXPORTER_PASSWORD = 'x'.repeat(32)
  const { databaseUsers } = parseConfig({ DATABASE_EXPORTER_USER: 'accounts_exporter', DATABASE_EXPORTER_PASSWORD })
  expect(databaseUsers).toEqual({
    service: undefined,
    exporter: { user: 'accounts_exporter', password: DATABASE_EXPORTER_PASSWORD },
  })
})

it('a log level that there is not is refused by the name of its setting, before the first line', () => {
  const message = 'LOG_LEVEL must be one of trace, debug, info, warn, error, silent'
  for (const level of ['verbose', 'fatal']) expect(() => createLogger({ level })).toThrow(message)
})

describe('names that look like settings and are none', () => {
  it.each([
    ['LAKE_SHEDULE', 'LAKE_SHEDULE (LAKE_SCHEDULE?)'],
    ['DATABSE_URL', 'DATABSE_URL (DATABASE_URL?)'],
    ['DATABASE_POOL_SIZE', 'DATABASE_POOL_SIZE (DATABASE_POOL?)'],
    ['RATE_LIMITS', 'RATE_LIMITS (RATE_LIMIT?)'],
    ['LOGLEVEL', 'LOGLEVEL (LOG_LEVEL?)'],
    ['API_KEY_PEPER', 'API_KEY_PEPER (API_KEY_PEPPER?)'],
    ['LAKE_MOTTO', 'LAKE_MOTTO'],
  ])('%s is one, told with the setting that is nearest, without its value', (name, told) => {
    expect(unknownSettings({ [name]: 'hidden' })).toEqual(new Map([[name, told]]))
  })

  it.each([
    ...SETTINGS,
    ...[
      'PATH',
      'HOME',
      'HOSTNAME',
      'SPORT',
      'STAGES',
      'USER',
      'API_URL',
      'API_KEY',
      'AWS_PROFILE',
      'AWS_DEFAULT_REGION',
    ],
    ...['AWS_ENDPOINT_URL_S3', 'OTEL_EXPORTER_OTLP_HEADERS', 'DATABASE_PUBLIC_URL', 'DATA_LAKE', 'LAKE', 'GIT_SHA'],
  ])('%s is none: a setting, or what somebody else owns', (name) => {
    expect(unknownSettings({ [name]: 'x' }).size).toBe(0)
  })

  it('one without a value is none: it counts as not set', () => {
    expect(unknownSettings({ LAKE_SHEDULE: '', LAKE_CODEX: undefined }).size).toBe(0)
  })
})
