import { expect, test } from 'vitest'
import { isTransient, retrying } from '../../../src/lake/retries.ts'

const budget = { tries: 8, baseMs: 1, capMs: 4, totalMs: 5_000 }
const failure = (facts: object) => Object.assign(new Error('no'), facts)

test('throttling, server errors and broken sockets are tried again, refusals and mistakes are not', () => {
  for (const facts of [
    { name: 'SlowDown', $metadata: { httpStatusCode: 503 } },
    { name: 'Unknown', $metadata: { httpStatusCode: 500 } },
    { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } },
    { code: 'ECONNRESET' },
    { name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } },
    { name: 'RequestTimeTooSkewed', $metadata: { httpStatusCode: 403, clockSkewCorrected: true } },
    { name: 'Error', cause: { code: 'EPIPE' } },
  ]) {
    expect(isTransient(failure(facts)), JSON.stringify(facts)).toBe(true)
  }
  for (const facts of [
    { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } },
    { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } },
    { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
    { name: 'RequestTimeTooSkewed', $metadata: { httpStatusCode: 403 } },
    { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } },
    { name: 'TypeError' },
  ]) {
    expect(isTransient(failure(facts)), JSON.stringify(facts)).toBe(false)
  }
})

test('a call that fails for a while succeeds in the end', async () => {
  let calls = 0
  const waits: number[] = []
  const result = await retrying(
    async () => {
      if (++calls < 6) throw failure({ name: 'SlowDown' })
      return calls
    },
    { budget, random: () => 0.5, onRetry: (_, tries) => waits.push(tries) },
  )
  expect(result).toBe(6)
  expect(waits).toEqual([1, 2, 3, 4, 5])
})

test('a call that always fails is given up after the budget, with its own error', async () => {
  let calls = 0
  const error = failure({ name: 'InternalError' })
  await expect(
    retrying(
      async () => {
        calls++
        throw error
      },
      { budget },
    ),
  ).rejects.toBe(error)
  expect(calls).toBe(budget.tries)
})

test('a refusal is not repeated', async () => {
  let calls = 0
  await expect(
    retrying(async () => {
      calls++
      throw failure({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
    }),
  ).rejects.toThrow('no')
  expect(calls).toBe(1)
})

test('waits end when the signal aborts', async () => {
  const controller = new AbortController()
  const pending = retrying(
    async () => {
      setImmediate(() => controller.abort(new Error('stopped')))
      throw failure({ name: 'SlowDown' })
    },
    {
      budget: { ...budget, baseMs: 60_000, capMs: 60_000, totalMs: 600_000 },
      random: () => 1,
      signal: controller.signal,
    },
  )
  await expect(pending).rejects.toThrow()
})

test('lake 7: waits are spread over the whole of a range that doubles up to its cap', async () => {
  const waits: number[] = []
  for (const random of [0.1, 0.5, 0.9]) {
    const started: number[] = []
    await retrying(
      async () => {
        started.push(performance.now())
        throw failure({ name: 'SlowDown' })
      },
      { budget: { tries: 4, baseMs: 20, capMs: 40, totalMs: 5_000 }, random: () => random },
    ).catch(() => undefined)
    waits.push((started.at(-1) ?? 0) - (started[0] ?? 0))
  }
  // 20, 40 and 40 ms, of which the given part is waited.
  for (const [i, part] of [0.1, 0.5, 0.9].entries()) expect(waits[i]).toBeGreaterThanOrEqual(100 * part - 4)
})

test('a call that never answers ends with its budget', async () => {
  const call = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  await expect(retrying(call, { budget: { ...budget, totalMs: 30 } })).rejects.toMatchObject({ name: 'TimeoutError' })
})
