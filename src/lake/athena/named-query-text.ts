import type { SavedQuery } from './saved-queries.ts'

/** Ends the description of a query of ours: what analysts save under the same name stays theirs. */
const OURS = ' [rocketgames-accounts]'

/** What a query is in the editor of Athena's console: it runs as it stands, and its head says what may be changed. */
export function editorText({ title, description, parameters, runnable }: SavedQuery): string {
  const known = parameters.map((each) => {
    const value = each.default === undefined ? '?' : each.default
    return `-- ${each.name} = ${value}: ${each.description}`
  })
  return [`-- ${title}`, `-- ${description}`, ...known, runnable].join('\n')
}

export function describeQuery({ title, description }: SavedQuery): string {
  return `${title}. ${description}${OURS}`
}

export function isOurs(description: string | undefined): boolean {
  return description?.endsWith(OURS) === true
}
