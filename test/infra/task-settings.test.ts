import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { STAGES, type StageSettings } from '../../infra/stages.ts'
import { parseConfig } from '../../src/config.ts'
import { traceSettings } from '../../src/telemetry/trace-settings.ts'
import { type StackName, type SynthesizedStage, synthesized } from '../support/infra.ts'

interface Container {
  readonly Name: string
  readonly Command: readonly string[]
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[]
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: unknown }[]
  readonly ReadonlyRootFilesystem?: boolean
  readonly StopTimeout?: number
  readonly HealthCheck?: { readonly Command: readonly string[] }
  readonly User?: string
}

const HEX = 'ab'.repeat(32)

/** The program's container in each task of a stage, by the name behind the stage's in its family. */
function programs({ stage, template }: SynthesizedStage): Map<string, Container> {
  const stacks = (['cluster', 'tasks', 'service', 'function'] as const).filter((name) => stage[name] !== undefined)
  const tasks = stacks.flatMap((name: StackName) =>
    Object.values(template(name).findResources('AWS::ECS::TaskDefinition')),
  )
  return new Map(
    tasks.map(({ Properties }) => [
      String(Properties.Family).replace(`rocketgames-accounts-${stage.stageName}-`, ''),
      (Properties.ContainerDefinitions as Container[]).find(({ Name }) => Name === 'accounts')!,
    ]),
  )
}

/** As the task gets it: what the deployment fills in is a word that suits its name. */
function environmentOf({ Environment = [], Secrets = [] }: Container): Record<string, string> {
  const given = Environment.map(({ Name, Value }) => {
    if (typeof Value === 'string') return [Name, Value]
    return [Name, Name === 'LAKE_RESULTS' ? 's3://results/athena/' : 'filled-in']
  })
  const injected = Secrets.map(({ Name }) => [Name, /KEY|PEPPER/.test(Name) ? HEX : 'as_secrets_manager_makes_it'])
  return Object.fromEntries([...given, ...injected])
}

const secretsOf = (container: Container | undefined) => (container?.Secrets ?? []).map(({ Name }) => Name).sort()

/** Names in the tables of the README, and of the guide that it refers to for traces: what the program reads. */
const KNOWN = new Set(
  ['README.md', 'docs/observability.md']
    .flatMap((file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split('\n'))
    .filter((line) => /^\| `[A-Z_]+`/.test(line))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name ?? '')),
)

const names = STAGES.map(({ name }) => name)
const made = new Map<StageSettings['name'], Map<string, Container>>()
beforeAll(() => {
  for (const name of names) made.set(name, programs(synthesized(name)))
})

describe.each(names)('the tasks of the stage %s', (name) => {
  const tasks = () => made.get(name)!

  it('have settings that the program takes, and none that it does not know', () => {
    expect(tasks().size).toBeGreaterThanOrEqual(5)
    for (const [command, container] of tasks()) {
      const environment = environmentOf(container)
      const config = parseConfig(environment)
      expect(config.stage, command).toBe(name)
      expect(config.databaseUrl, command).toContain('sslmode=verify-full&sslrootcert=%2Fapp%2Frds-ca.pem')
      expect(
        Object.keys(environment).filter((each) => !KNOWN.has(each)),
        command,
      ).toEqual([])
    }
  })

  it('get the secrets that they use, and not one more', () => {
    const user = ['DATABASE_PASSWORD', 'DATABASE_USER']
    expect(secretsOf(tasks().get('snapshot'))).toEqual([...user, 'LAKE_PSEUDONYM_KEY'])
    expect(secretsOf(tasks().get('care'))).toEqual([...user, 'LAKE_PSEUDONYM_KEY'])
    expect(secretsOf(tasks().get('keys'))).toEqual(['API_KEY_PEPPER', ...user])
    expect(secretsOf(tasks().get('migrate'))).toEqual([
      'DATABASE_EXPORTER_PASSWORD',
      'DATABASE_EXPORTER_USER',
      'DATABASE_PASSWORD',
      'DATABASE_SERVICE_PASSWORD',
      'DATABASE_SERVICE_USER',
      'DATABASE_USER',
    ])
    if (tasks().has('serve')) expect(secretsOf(tasks().get('serve'))).toEqual(['API_KEY_PEPPER', 'CURSOR_KEY', ...user])
  })

  it('have no secret in their environment', () => {
    for (const [command, { Environment = [] }] of tasks()) {
      const suspicious = Environment.filter(({ Name }) => /PASSWORD|PEPPER|SECRET|TOKEN|_KEY$/.test(Name))
      // The key's ARN, by which objects are encrypted.
      expect(
        suspicious.map(({ Name }) => Name).filter((each) => each !== 'LAKE_KMS_KEY'),
        command,
      ).toEqual([])
      expect(JSON.stringify(Environment), command).not.toContain('resolve:secretsmanager')
    }
  })

  it('write nothing to their disk, and have time to stop', () => {
    for (const [command, container] of tasks()) {
      expect(container.ReadonlyRootFilesystem, command).toBe(true)
      expect(container.StopTimeout, command).toBeLessThanOrEqual(120)
      expect(container.User, command).toBeUndefined()
    }
  })
})

describe('the service', () => {
  it('starts snapshots as tasks, applies no migrations, and writes its metrics', () => {
    for (const name of ['dev', 'prod'] as const) {
      const config = parseConfig(environmentOf(made.get(name)!.get('serve')!))
      expect(config).toMatchObject({ host: '0.0.0.0', port: 3000, migrateAtStart: false, metrics: 'emf' })
      expect(config.lake).toMatchObject({ runner: 'ecs', scheduler: 'none', pseudonymKey: undefined })
      expect(config.lake?.ecs).toMatchObject({
        snapshotTask: `rocketgames-accounts-${name}-asked-snapshot`,
        careTask: `rocketgames-accounts-${name}-asked-care`,
        container: 'accounts',
      })
    }
  })

  it('records one request of twenty, whatever its callers ask for, and each run of other tasks', () => {
    for (const name of ['dev', 'prod'] as const) {
      const samplers = [...made.get(name)!].flatMap(([command, container]) => {
        const settings = traceSettings(environmentOf(container))
        return settings === undefined ? [] : [[command, settings.sampler] as const]
      })
      expect(samplers.length).toBeGreaterThan(2)
      for (const [command, sampler] of samplers) {
        const { kind, ratio, byParent } = sampler
        const wanted = command === 'serve' ? { kind: 'ratio', ratio: 0.05 } : { kind: 'on', ratio: 1 }
        expect({ command, kind, ratio, byParent }).toEqual({ command, ...wanted, byParent: false })
      }
    }
  })

  it('is killed only after its requests had their time, with what the program does behind them', () => {
    const serve = made.get('prod')!.get('serve')!
    const { shutdownDelayMs, shutdownGraceMs } = parseConfig(environmentOf(serve))
    expect(shutdownGraceMs).toBeGreaterThanOrEqual(30_000)
    expect(serve.StopTimeout! * 1000).toBeGreaterThanOrEqual(shutdownDelayMs + shutdownGraceMs + 30_000)
  })

  it('is asked by ECS whether it lives, not whether the database does', () => {
    const { HealthCheck } = made.get('prod')!.get('serve')!
    expect(HealthCheck?.Command.join(' ')).toContain('/healthz')
  })
})
