import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** An event as AWS sends it, and the request that made it. */
export interface RecordedEvent {
  readonly name: string
  readonly about: string
  /** Of the answer. */
  readonly status: number
  readonly http: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    /** In place of `body`. */
    readonly base64?: string
  }
  readonly event: Readonly<Record<string, unknown>>
}

const FOLDER = path.join(import.meta.dirname, 'events')

export const EVENT_NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

/**
 * @param values of the placeholders: `{{token}}`, the key of the caller, and `{{unique}}`, a word that no other request has.
 *   `{{base64}}` is the body of the request
 */
export function recordedEvent(
  name: string,
  values: { readonly token: string; readonly unique: string },
): RecordedEvent {
  const text = readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')
    .replaceAll('{{token}}', values.token)
    .replaceAll('{{unique}}', values.unique)
  const { http } = JSON.parse(text) as RecordedEvent
  const base64 = Buffer.from(http.body ?? '').toString('base64')
  return { name, ...(JSON.parse(text.replaceAll('{{base64}}', base64)) as Omit<RecordedEvent, 'name'>) }
}
