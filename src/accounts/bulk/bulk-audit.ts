import type { TableName } from '../../lake/datasets.ts'
import { type AuditEvent, changesOf } from '../audit/audit-event.ts'

type About = Pick<AuditEvent, 'entityType' | 'entityId' | 'studioId'>

/**
 * The events of a changed row as the single operations write them: other fields are an update, the state is a step of its own.
 *
 * @param noun first part of the action, `studio`
 * @param stepFields fields that change with the state and belong to its event
 */
export function changeEvents(
  noun: string,
  table: TableName,
  before: object,
  after: object,
  about: About,
  stepFields: readonly string[] = ['status'],
): AuditEvent[] {
  const changes = Object.entries(changesOf(table, before, after))
  const isStep = changes.some(([field]) => field === 'status')
  const [step, update] = [
    isStep ? changes.filter(([field]) => stepFields.includes(field)) : [],
    isStep ? changes.filter(([field]) => !stepFields.includes(field)) : changes,
  ]
  const events: AuditEvent[] = []
  if (update.length > 0) events.push({ action: `${noun}.update`, ...about, changes: Object.fromEntries(update) })
  if (step.length > 0) events.push({ action: `${noun}.transition`, ...about, changes: Object.fromEntries(step) })
  return events
}

/**
 * The event of a new row of a table that loads bring millions into. It names no fields: the row tells them, with what later events
 * say they changed from, and to repeat them all was the larger part of what the trail of a load took.
 */
export function massCreateEvent(noun: string, about: About): AuditEvent {
  return { action: `${noun}.create`, ...about }
}

export function createEvent(noun: string, table: TableName, row: object, about: About): AuditEvent {
  return { action: `${noun}.create`, ...about, changes: changesOf(table, undefined, row) }
}
