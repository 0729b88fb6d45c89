import { readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { STAGES } from '../../infra/stages.ts'
import { SCOPES } from '../../src/caller.ts'
import { COMMANDS } from '../../src/commands/program.ts'
import { blocksOf } from '../docs/guide-blocks.ts'
import { type StackName, type SynthesizedStage, synthesized } from '../support/infra.ts'
import { ROOT, run } from '../support/service.ts'

const guide = readFileSync(path.join(ROOT, 'docs/deploy.md'), 'utf8')
const blocks = blocksOf('docs/deploy.md', 'bash')
const code = blocks.join('\n')
const found = (pattern: RegExp) => [...code.matchAll(pattern)].map((match) => match.slice(1).map((each) => each ?? ''))

let prod: SynthesizedStage
let small: SynthesizedStage
beforeAll(() => {
  prod = synthesized('prod')
  small = synthesized('small')
})

const resources = (stack: StackName, type: string, of = prod) =>
  Object.values(of.template(stack).findResources(type)).map(({ Properties }) => Properties)
const families = () =>
  (['cluster', 'tasks', 'service'] as const).flatMap((stack) =>
    resources(stack, 'AWS::ECS::TaskDefinition').map(({ Family }) => String(Family)),
  )

describe('the guide to deployments', () => {
  it('is made of commands that a shell reads', async () => {
    expect(blocks.length).toBeGreaterThan(8)
    for (const block of blocks) {
      const { code: exit, stderr } = await run('bash', ['-n', '-c', block])
      expect(exit, `${block}\n${stderr}`).toBe(0)
    }
  })

  it('names stages, stacks and outputs that there are', () => {
    for (const { name } of STAGES) expect(guide).toContain(`| \`${name}\` |`)
    const stacks = found(/cdk (?:deploy|diff|destroy) "(?:\$STAGE|\w+)\/([\w*]+)"/g).flat()
    expect(stacks.length).toBeGreaterThan(5)
    for (const stack of stacks) expect(['*', ...Object.keys(prod.stage)]).toContain(stack)
    prod.template('service').hasOutput('BalancerName', {})
    small.template('function').hasOutput('ApiUrl', {})
    prod.template('cluster').hasOutput('TaskNetwork', {})
  })

  it('starts tasks that there are, with commands of the program', () => {
    const started = found(/npm run task -- "\$STAGE" (\w+)(?: (\w+))?/g)
    expect(started.length).toBeGreaterThan(6)
    const commands = COMMANDS.flatMap(({ names }) => names)
    for (const [task, command = ''] of started) {
      expect(families()).toContain(`rocketgames-accounts-prod-${task}`)
      if (command !== '') expect(commands).toContain(command)
    }
  })

  it('calls the cluster, the service, the database and the parameter by their names', () => {
    expect(resources('cluster', 'AWS::ECS::Cluster')[0]?.ClusterName).toBe('rocketgames-accounts-prod')
    expect(resources('service', 'AWS::ECS::Service')[0]?.ServiceName).toBe('api')
    expect(resources('database', 'AWS::RDS::DBInstance')[0]?.DBInstanceIdentifier).toBe('rocketgames-accounts-prod')
    expect(code).toContain('/rocketgames-accounts/$STAGE/certificate-arn')
    expect(Object.values(prod.template('service').findParameters('*')).map(({ Default }) => Default)).toContain(
      '/rocketgames-accounts/prod/certificate-arn',
    )
    for (const name of found(/rocketgames-accounts-\$STAGE-(\w+)/g).flat()) {
      if (name !== 'restored') expect(families()).toContain(`rocketgames-accounts-prod-${name}`)
    }
  })

  it('says how many processors the tasks of a stage take at their most', () => {
    const claimed = Object.fromEntries(
      [...guide.matchAll(/`(dev|prod|small)`(?: takes)? (\d+(?:\.\d+)?)(?= (?:at its most|\(every task)|;)/g)].map(
        ([, name, number]) => [name, Number(number)],
      ),
    )
    const work = resources('function', 'AWS::ECS::TaskDefinition', small)[0]?.Cpu
    const units = STAGES.map(({ name, service: { cpu, max }, snapshot }) => {
      const answering = max === 0 ? Number(work) : 2 * max * cpu
      return [name, (answering + 2 * snapshot.cpu) / 1024]
    })
    expect(claimed).toEqual(Object.fromEntries(units))
  })

  it('asks for scopes that there are', () => {
    const [body] = found(/-d '([^']+)'/g).flat()
    for (const scope of JSON.parse(body ?? '').scopes) expect(SCOPES).toContain(scope)
  })

  it('goes back to revisions that a release leaves usable', () => {
    for (const stack of ['cluster', 'tasks', 'service'] as const) {
      for (const task of Object.values(prod.template(stack).findResources('AWS::ECS::TaskDefinition'))) {
        expect(task.UpdateReplacePolicy).toBe('Retain')
      }
    }
  })
})
