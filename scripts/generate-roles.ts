import { readFileSync, writeFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { AccountsStage } from '../infra/accounts-stage.ts'
import { roleDocument, type StageRoles } from '../infra/audit/role-document.ts'
import { StageAccess } from '../infra/audit/roles.ts'
import { STAGES } from '../infra/stages.ts'

/** `node scripts/generate-roles.ts`: docs/roles.md out of the templates of all stages. Needs neither network nor account. */

/** @param stage synthesised, or to be: its templates are read. */
export function rolesOf(stage: AccountsStage): StageRoles {
  const stacks = stage.synth().stacks.map(({ stackName, template }) => ({ stack: stackName, template }))
  return { stage: stage.stageName, access: new StageAccess(stacks) }
}

if (import.meta.main) {
  const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'))
  const stages = STAGES.map((settings) =>
    rolesOf(new AccountsStage(new App({ context, analyticsReporting: false }), settings)),
  )
  writeFileSync(new URL('../docs/roles.md', import.meta.url), roleDocument(stages))
}
