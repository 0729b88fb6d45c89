import { writeFileSync } from 'node:fs'
import { costDocument } from './costs/cost-document.ts'
import { stagesHere } from './generate-roles.ts'
import { stageNamed } from './stages.ts'

/** `npm run generate:costs`: docs/costs.md out of the templates of all stages. Needs neither network nor account. */

if (import.meta.main) {
  const stages = stagesHere().map(({ access, stage }) => ({
    settings: stageNamed(stage),
    resources: access.resources,
  }))
  writeFileSync(new URL('../docs/costs.md', import.meta.url), costDocument(stages))
}
