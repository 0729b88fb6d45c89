import type { Context } from '../caller.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { type Answer, accepted } from '../http/answer.ts'
import { type Problem, problemOf } from '../http/problems.ts'
import { present } from '../http/visibility.ts'
import type { Job, JobProblem } from './job.ts'

/** How soon it is worth asking again. */
export const RETRY_AFTER = { 'Retry-After': '2' }

/** 202: where the job is that was submitted. */
export function jobAccepted(job: Job, context: Context, headers: Readonly<Record<string, string>> = {}): Answer {
  return accepted(`/v1/jobs/${job.id}`, jobShown(job, context), { ...RETRY_AFTER, ...headers })
}

/** A job as callers see it; also the body of the 202 that answers its submission. */
export function jobShown(job: Job, { principal }: Context, fields?: ReadonlySet<string>): Record<string, unknown> {
  const answer = present('job', job, principal, fields)
  return job.problem === null || !('problem' in answer) ? answer : { ...answer, problem: problemOfJob(job.problem) }
}

function problemOfJob({ code, detail, errors = [] }: JobProblem): Problem {
  // Stored by a version of this program: the code was one of its own.
  return problemOf(new AppError(code as ErrorCode, detail, { errors }))
}
