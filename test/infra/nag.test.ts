import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as s3 from 'aws-cdk-lib/aws-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accept, addNag, nagged } from '../../infra/nag.ts'
import { STAGES } from '../../infra/stages.ts'
import { synthesized } from '../support/infra.ts'

const reviews = STAGES.map(({ name }) => ({ name, ...nagged(synthesized(name).stage) }))

describe('the checks of AWS Solutions', () => {
  it.each(reviews)('find nothing in $name that nobody accepted', ({ open }) => {
    expect(open).toEqual([])
  })

  it('are not silenced for more than there is: every acceptance covers a finding in some stage', () => {
    const all = reviews.flatMap(({ acceptances }) => acceptances)
    const key = ({ rule, finding, reason }: (typeof all)[number]) => `${rule} ${finding ?? ''}: ${reason}`
    const used = new Set(all.filter((each) => each.used).map(key))
    expect(used.size).toBeGreaterThan(10)
    expect([...new Set(all.map(key).filter((each) => !used.has(each)))]).toEqual([])
  })

  it('are accepted for a reason in words, never for a whole stack', () => {
    for (const { acceptances, name } of reviews) {
      const stacks = new Set(
        Object.values(synthesized(name).stage).flatMap((each) => (each instanceof Stack ? [each] : [])),
      )
      for (const { path, reason } of acceptances) {
        expect(reason.length, `${path}: ${reason}`).toBeGreaterThan(30)
        expect([...stacks].map((stack) => stack.node.path)).not.toContain(path)
      }
    }
  })
})

describe('a finding', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-nag-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function app(): { readonly app: App; readonly bucket: s3.Bucket; readonly role: iam.Role } {
    const outdir = mkdtempSync(path.join(folder, 'app-'))
    const made = new App({ outdir, analyticsReporting: false, builtinCloudFormationValidation: false })
    const stack = new Stack(made, 'Stack')
    const bucket = new s3.Bucket(stack, 'Bucket', { enforceSSL: true })
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') })
    role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects('a/*')] }))
    return { app: made, bucket, role }
  }
  const reason = 'A bucket of a test, in which nothing ever is.'
  const logs = { rule: 'AwsSolutions-S1', reason }
  const files = { rule: 'AwsSolutions-IAM5', finding: /^Resource::<Bucket\w+\.Arn>\/a\/\*$/, reason }

  it('that nobody accepted lets the synthesis fail, at its construct alone', () => {
    const made = app()
    accept(made.role, files)
    expect(nagged(made.app).open).toEqual([expect.stringMatching(/^AwsSolutions-S1 at Stack\/Bucket\/Resource: /)])
    addNag(made.app)
    expect(() => made.app.synth()).toThrow('AwsSolutions-S1')
  })

  it('is accepted for a construct and all in it, by the rule or by a pattern of what it says', () => {
    const made = app()
    accept(made.bucket, logs)
    accept(made.role, files, { ...files, finding: 'Resource::*' })
    expect(nagged(made.app).open).toEqual([])
    expect(nagged(made.app).acceptances.map(({ used }) => used)).toEqual([true, true, false])
    addNag(made.app)
    expect(made.app.synth().stacks).toHaveLength(1)
  })

  it('of a rule with several findings is not accepted by the rule alone', () => {
    const made = app()
    accept(made.bucket, logs)
    accept(made.role, { rule: 'AwsSolutions-IAM5', reason })
    expect(nagged(made.app).open).toEqual([expect.stringContaining('AwsSolutions-IAM5[Resource::<Bucket')])
  })
})
