import { readFileSync } from 'node:fs'
import { Template } from 'aws-cdk-lib/assertions'
import { AccountsStage } from '../../infra/accounts-stage.ts'
import { type StageSettings, stageNamed } from '../../infra/stages.ts'
import { withApp } from '../../infra/with-app.ts'

/** What the command line gives the app; templates only, so no code is bundled. */
export function cdkContext(): Record<string, unknown> {
  const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
  return { ...context, 'aws:cdk:bundling-stacks': [] }
}

export type StackName = 'network' | 'database' | 'lake' | 'cluster' | 'tasks' | 'service' | 'function' | 'watch'

export interface SynthesizedStage {
  readonly stage: AccountsStage
  readonly template: (stack: StackName) => Template
}

const made = new Map<StageSettings['name'], SynthesizedStage>()

/** A stage as the command line would synthesise it, once a worker. @throws Error of `template` when the stage has no such stack. */
export function synthesized(name: StageSettings['name']): SynthesizedStage {
  const known = made.get(name)
  if (known !== undefined) return known
  const stage = withApp({ context: cdkContext() }, (app) => {
    const synthesised = new AccountsStage(app, stageNamed(name))
    // Read now, and kept: the files are gone afterwards.
    for (const each of synthesised.synth().stacks) void each.template
    return synthesised
  })
  const templates = new Map<StackName, Template>()
  const template = (stack: StackName) => {
    const found = templates.get(stack)
    if (found !== undefined) return found
    const of = stage[stack]
    if (of === undefined) throw new Error(`The stage ${name} has no stack ${stack}`)
    const read = Template.fromStack(of)
    templates.set(stack, read)
    return read
  }
  const result = { stage, template }
  made.set(name, result)
  return result
}
