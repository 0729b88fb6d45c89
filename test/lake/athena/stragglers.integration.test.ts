import { AthenaClient } from '@aws-sdk/client-athena'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { UPKEEP } from '../../../src/lake/athena/query-run.ts'
import { QueryRunner } from '../../../src/lake/athena/query-runner.ts'
import { endStragglers } from '../../../src/lake/athena/stragglers.ts'
import { ensureLake } from '../../../src/lake/lake-setup.ts'
import { startTestAws, type TestAws } from '../../support/local-aws.ts'
import { testPlace } from '../lake-fixture.ts'

const place = testPlace('stragglers')
let aws: TestAws

beforeAll(async () => {
  aws = await startTestAws()
  await ensureLake(place, aws, { owned: true })
})

afterAll(async () => {
  await aws?.stop()
})

it('stops the views that a dead process left in the queue, and nothing else', async () => {
  const { credentials, endpoint, region } = aws
  const athena = new AthenaClient({ credentials, endpoint, region })
  const runner = new QueryRunner(athena, place)
  const view = `CREATE OR REPLACE VIEW ${place.database}.left_behind AS SELECT 1 AS one`
  const ours = await runner.start(view, { name: UPKEEP })
  const theirs = await runner.start('SELECT 1')
  for (const id of [ours, theirs]) await runner.finished(id)
  const stopped: unknown[] = []
  athena.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args)
        if (commandName === 'StopQueryExecutionCommand') stopped.push(args.input)
        if (commandName !== 'BatchGetQueryExecutionCommand') return answer
        // Both still wait in the queue, as far as the list says.
        const { QueryExecutions = [] } = answer.output as { QueryExecutions?: { Status?: { State?: string } }[] }
        for (const { Status } of QueryExecutions) if (Status) Status.State = 'QUEUED'
        return answer
      },
    { step: 'initialize', name: 'queued' },
  )
  try {
    expect(await endStragglers(runner)).toBe(1)
    expect(stopped).toEqual([{ QueryExecutionId: ours }])
  } finally {
    athena.destroy()
  }
})
