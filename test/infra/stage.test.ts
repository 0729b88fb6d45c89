import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { AccountsStage } from '../../infra/accounts-stage.ts'
import { STAGES, stageNamed } from '../../infra/stages.ts'
import { withApp } from '../../infra/with-app.ts'
import { cdkContext, type StackName, synthesized } from '../support/infra.ts'

const STACKS = ['network', 'database', 'lake', 'cluster', 'tasks', 'service', 'function', 'watch'] as const

/** Of AWS: who publishes its rotations, who writes access logs of load balancers in Frankfurt, whose layer reads secrets for a function. */
const ACCOUNTS_OF_AWS = ['297356227824', '193023089310', '023102451235', '054676820928', '187925254637']

function templates(of: (stack: StackName) => unknown): string {
  return JSON.stringify(STACKS.map((name) => [name, of(name)]))
}

describe('the templates', () => {
  it('are the same whenever they are made: they depend on the repository and on nothing else', () => {
    const first = synthesized('prod')
    const stacks = STACKS.filter((name) => first.stage[name] !== undefined)
    expect(stacks).toHaveLength(STACKS.length - 1)
    const differ = withApp({ context: cdkContext() }, (app) => {
      const again = new AccountsStage(app, stageNamed('prod'))
      return stacks.filter((name) => {
        const remade = again[name]
        return (
          remade === undefined ||
          JSON.stringify(Template.fromStack(remade).toJSON()) !== JSON.stringify(first.template(name).toJSON())
        )
      })
    })
    expect(differ).toEqual([])
  })

  it('read outputs of other stacks where CloudFormation is known to take them: as a value, or joined with others', () => {
    const found = new Set<string>()
    const collect = (value: unknown, around: string) => {
      if (typeof value !== 'object' || value === null) return
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'Fn::GetStackOutput') found.add(around)
        else collect(inner, key.startsWith('Fn::') ? key : Array.isArray(value) || key === 'Ref' ? around : 'a value')
      }
    }
    for (const { name } of STAGES) {
      const { stage, template } = synthesized(name)
      for (const stack of STACKS) if (stage[stack] !== undefined) collect(template(stack).toJSON(), 'a value')
    }
    expect([...found].sort()).toEqual(['Fn::Join', 'a value'])
  })

  it('name no account of ours', () => {
    for (const { name } of STAGES) {
      const { stage, template } = synthesized(name)
      const text = templates((stack) => (stage[stack] === undefined ? undefined : template(stack).toJSON()))
      const found = [...text.matchAll(/(?<=[:"])\d{12}(?=[:"])/g)].map(([number]) => number)
      expect(
        [...new Set(found)].filter((number) => !ACCOUNTS_OF_AWS.includes(number)),
        name,
      ).toEqual([])
    }
  })

  it('keep what holds data when a protected stage is taken down', () => {
    const { template } = synthesized('prod')
    const kept = ['AWS::RDS::DBInstance', 'AWS::S3::Bucket', 'AWS::KMS::Key'] as const
    for (const type of kept) {
      const resources = (['database', 'lake'] as const).flatMap((stack) =>
        Object.entries(template(stack).findResources(type)),
      )
      expect(resources.length, type).toBeGreaterThan(0)
      for (const [id, { DeletionPolicy }] of resources) expect(DeletionPolicy, id).toMatch(/^Retain/)
    }
    // Names of ours: what a deployment that fails has made would be in the way of the next one.
    for (const [id, { DeletionPolicy }] of Object.entries(template('lake').findResources('AWS::Glue::Database'))) {
      expect(DeletionPolicy, id).toBe('RetainExceptOnCreate')
    }
  })
})

describe('stages', () => {
  it('have networks that do not overlap, names of their own, and a name for what answers by TLS', () => {
    expect(new Set(STAGES.map(({ cidr }) => cidr)).size).toBe(STAGES.length)
    expect(new Set(STAGES.map(({ name }) => name)).size).toBe(STAGES.length)
    for (const { cidr, compute, domain, name } of STAGES) {
      expect(cidr, name).toMatch(/^10\.\d+\.0\.0\/16$/)
      if (compute === 'fargate') expect(domain?.certificateParameter, name).toContain(`/${name}/`)
    }
  })

  it('are asked for by name, and the answer to a wrong one says which there are', () => {
    expect(() => stageNamed('production')).toThrow(/dev, prod, small/)
  })
})
