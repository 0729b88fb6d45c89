import { readFileSync, writeFileSync } from 'node:fs'
import { AccountsStage } from './accounts-stage.ts'
import { roleDocument, type StageRoles } from './audit/role-document.ts'
import { StageAccess } from './audit/roles.ts'
import { STAGES } from './stages.ts'
import { withApp } from './with-app.ts'

/** `npm run generate:roles`: docs/roles.md out of the templates of all stages. Needs neither network nor account. */

/** @param stage synthesised, or to be: its templates are read. */
export function rolesOf(stage: AccountsStage): StageRoles {
  const stacks = stage
    .synth()
    .stacks.map(({ stackName, template, environment: { region } }) => ({ stack: stackName, template, region }))
  return { stage: stage.stageName, access: new StageAccess(stacks) }
}

/** All stages as the repository has them. Nothing is bundled: no policy and no price depends on what is in an archive. */
export function stagesHere(): StageRoles[] {
  const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'))
  const props = { context: { ...context, 'aws:cdk:bundling-stacks': [] } }
  return STAGES.map((settings) => withApp(props, (app) => rolesOf(new AccountsStage(app, settings))))
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/roles.md', import.meta.url), roleDocument(stagesHere()))
}
