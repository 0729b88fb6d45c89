import type { ImportAnswer, ImportTotals, LineAnswer } from '../../src/imports/import-answer.ts'
import { isEnd } from '../../src/imports/import-answer.ts'
import type { ImportOptions, ImportResource } from '../../src/imports/import-run.ts'
import { ImportService } from '../../src/imports/import-service.ts'
import type { TestApi } from '../support/api.ts'

export interface Imported {
  readonly answers: readonly LineAnswer[]
  readonly totals: ImportTotals
  /** `1 created`, `2 validation /slug required`: what each line was told. */
  readonly verdicts: readonly string[]
}

/** Objects through the import service, to the end. */
export async function imported(
  api: TestApi,
  resource: ImportResource,
  objects: Iterable<object>,
  options: ImportOptions = {},
): Promise<Imported> {
  const all: ImportAnswer[] = []
  const run = new ImportService(api.database).run(resource, { objects }, options, api.context)
  for await (const answers of run) all.push(...answers)
  const end = all.pop()
  if (end === undefined || !isEnd(end)) throw new Error('the import has no end')
  return { answers: all as LineAnswer[], totals: end._end, verdicts: (all as LineAnswer[]).map(verdictOf) }
}

export function verdictOf(answer: LineAnswer): string {
  if (answer.status !== 'error') return `${answer.line} ${answer.status}`
  const { code, errors, firstLine } = answer.problem
  const places = errors?.map((error) => [error.pointer, error.code].filter(Boolean).join(' ')) ?? []
  return [answer.line, code, firstLine, ...places].filter((part) => part !== undefined).join(' ')
}
