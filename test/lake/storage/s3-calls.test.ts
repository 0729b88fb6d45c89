import { expect, test } from 'vitest'
import { describe } from '../../../src/errors.ts'
import { LakeProblem } from '../../../src/lake/lake-problem.ts'
import { S3Calls } from '../../../src/lake/storage/s3-calls.ts'

const refusal = (name: string, message: string, httpStatusCode: number) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } })

const failureOf = async (error: Error) =>
  (await new S3Calls({ retries: { tries: 1, baseMs: 1, capMs: 1, totalMs: 1 } })
    .run('UploadPart', 'lake/v1/x', () => Promise.reject(error))
    .catch((thrown: unknown) => thrown)) as LakeProblem

test.each([
  [refusal('AccessDenied', 'Access Denied', 403), 'storage_denied', 'AccessDenied: Access Denied'],
  [
    refusal('NoSuchBucket', 'The specified bucket does not exist', 404),
    'storage_failed',
    'NoSuchBucket: The specified bucket does not exist',
  ],
  [refusal('NotFound', 'NotFound', 404), 'storage_failed', 'NotFound'],
  [new Error('socket hang up'), 'storage_failed', 'socket hang up'],
])('what S3 refuses for good is told once, with its code: %s', async (error, code, told) => {
  const problem = await failureOf(error)
  expect(problem).toBeInstanceOf(LakeProblem)
  expect(problem.code).toBe(code)
  expect(problem.message).toBe(`UploadPart of lake/v1/x failed: ${told}`)
  expect(describe(problem)).toBe(problem.message)
})
