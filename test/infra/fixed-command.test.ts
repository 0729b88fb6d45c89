import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fixedCommand } from '../../infra/constructs/fixed-command.ts'
import { STAGES } from '../../infra/stages.ts'
import { SETTINGS } from '../../src/settings.ts'
import { synthesized } from '../support/infra.ts'

interface Container {
  readonly Name: string
  readonly Command: readonly string[]
  readonly EntryPoint?: readonly unknown[]
  readonly Environment: readonly { readonly Name: string }[]
  readonly Secrets: readonly { readonly Name: string }[]
}

function containersOf(stage: (typeof STAGES)[number]['name']): Map<string, Container> {
  const tasks = Object.values(synthesized(stage).template('tasks').findResources('AWS::ECS::TaskDefinition'))
  return new Map(
    tasks.map(({ Properties }) => [
      String(Properties.Family).replace(`rocketgames-accounts-${stage}-`, ''),
      (Properties.ContainerDefinitions as Container[]).find(({ Name }) => Name === 'accounts')!,
    ]),
  )
}

/** `NAME` of `NAME=value`, also where the deployment fills in the value. */
function pinned(entryPoint: readonly unknown[]): string[] {
  const texts = entryPoint.map((each) =>
    typeof each === 'string' ? each : String((each as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1][0]),
  )
  return texts.flatMap((text) => /^([A-Z][A-Z0-9_]*)=/.exec(text)?.[1] ?? [])
}

describe.each(STAGES.map(({ name }) => name))('the tasks that the API of %s starts', (stage) => {
  const asked = ['snapshot', 'care'] as const
  const entryPointOf = (word: string) => containersOf(stage).get(`asked-${word}`)?.EntryPoint ?? []

  it('have the word of their command where no start replaces it, and arguments behind it', () => {
    for (const word of asked) {
      expect(entryPointOf(word).slice(-3)).toEqual(['node', 'dist/main.js', word])
      expect(containersOf(stage).get(`asked-${word}`)?.Command).toEqual(['--json'])
    }
  })

  it('have all settings of their own there, and take out every other one that is no secret of theirs', () => {
    expect(SETTINGS.length).toBeGreaterThan(60)
    for (const word of asked) {
      const { Environment, Secrets } = containersOf(stage).get(`asked-${word}`)!
      const entryPoint = entryPointOf(word)
      const fixed = pinned(entryPoint)
      expect(fixed).toEqual(expect.arrayContaining(Environment.map(({ Name }) => Name)))
      const kept = SETTINGS.filter((name) => !fixed.includes(name) && !entryPoint.includes(`--unset=${name}`))
      expect(kept.sort()).toEqual(Secrets.map(({ Name }) => Name).sort())
    }
  })

  it('have the settings of the tasks that others start', () => {
    for (const word of asked) {
      const [own, other] = [containersOf(stage).get(`asked-${word}`), containersOf(stage).get(word)]
      expect([own?.Environment, own?.Secrets]).toEqual([other?.Environment, other?.Secrets])
    }
  })
})

describe('a fixed command', () => {
  it('runs with its settings whatever the environment says, and no code that this names', () => {
    const [, , env = '', ...words] = fixedCommand('snapshot', { LAKE_BUCKET: 'ours', AWS_REGION: 'eu-central-1' })
    expect(env).toBe('/usr/bin/env')
    const node = words.indexOf('node')
    const program = ['-p', 'JSON.stringify([process.env, process.argv.slice(1)])', '--']
    const told = execFileSync(env, [...words.slice(0, node), process.execPath, ...program, ...words.slice(node + 2)], {
      env: {
        NODE_OPTIONS: '--import "data:text/javascript,process.exit(3)"',
        ...{ LAKE_BUCKET: 'theirs', AWS_ENDPOINT_URL: 'http://theirs', DATABASE_URL: 'postgresql://theirs/x' },
        ...{ NODE_TLS_REJECT_UNAUTHORIZED: '0', LD_LIBRARY_PATH: '/tmp', PATH: '/tmp', LAKE_DAILY_DAYS: '0' },
        ...{ TRACEPARENT: '00-0-0-01', AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials' },
      },
    })
    const [environment, argv] = JSON.parse(String(told))
    expect(argv).toEqual(['snapshot'])
    expect(environment).toEqual({
      ...{ LAKE_BUCKET: 'ours', AWS_REGION: 'eu-central-1', NODE_ENV: 'production' },
      NODE_OPTIONS: '--max-semi-space-size=16',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      // What a start has to tell, and what ECS tells each task.
      ...{ TRACEPARENT: '00-0-0-01', AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials' },
    })
  })
})
