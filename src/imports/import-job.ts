import { expected } from '../http/problems.ts'
import type { JobFile, JobHandler, JobInput, JobOutcome, JobWork } from '../jobs/job.ts'
import { type FailedAnswer, type ImportAnswer, type ImportTotals, isEnd, lineProblem } from './import-answer.ts'
import type { ImportOptions, ImportResource, ImportRunner } from './import-run.ts'
import type { ImportFormat } from './input.ts'

/** An import that outlives its request; the body comes beside it. */
export interface ImportJobInput extends JobInput {
  readonly resource: ImportResource
  readonly format: ImportFormat
  readonly options: ImportOptions
}

/**
 * Imports as jobs. The result is the answer of the import, line by line, the error lines are those of it that were refused, and
 * the progress counts lines.
 *
 * An attempt whose process died has brought some lines in. The next one begins with the first line again: an upsert finds those
 * unchanged, so `created` and `updated` of the totals count what the last attempt wrote, and with `mode=create` they are refused
 * as taken.
 */
export class ImportJob implements JobHandler<ImportJobInput> {
  readonly kind = 'import'
  readonly #imports: ImportRunner

  constructor(imports: ImportRunner) {
    this.#imports = imports
  }

  async run(work: JobWork<ImportJobInput>): Promise<JobOutcome> {
    const { resource, format, options } = work.input
    const chunks = work.body()
    const run = this.#imports.run(resource, { format, chunks }, options, work.context, work.signal)
    const result = await work.result({ name: `import-${resource}.ndjson`, type: 'application/x-ndjson' })
    const totals = { lines: 0, created: 0, updated: 0, unchanged: 0, errors: 0 }
    let end: ImportTotals | undefined
    try {
      for await (const answers of run) {
        for (const answer of answers) {
          if (isEnd(answer)) end = answer._end
          else {
            totals.lines++
            totals[answer.status === 'error' ? 'errors' : answer.status]++
            if (answer.status === 'error') await work.error(answer)
          }
        }
        await write(result, answers)
        work.progress(totals.lines)
      }
    } catch (error) {
      // What was answered is in, and the result of a job that fails says so.
      await write(result, [{ _problem: lineProblem(expected(error)), totals }])
      await result.end()
      throw error
    }
    if (end === undefined) {
      await write(result, [{ _end: { ...totals, dryRun: options.dryRun ?? false, cancelled: true } }])
      await result.end()
      work.signal.throwIfAborted()
      throw new Error('the import has no end')
    }
    await result.end()
    return { summary: { ...end } }
  }
}

function write(result: JobFile, answers: readonly (ImportAnswer | FailedAnswer)[]): Promise<void> {
  return result.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''))
}
