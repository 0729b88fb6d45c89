import { createHash } from 'node:crypto'
import {
  type AthenaClient,
  BatchGetNamedQueryCommand,
  CreateNamedQueryCommand,
  DeleteNamedQueryCommand,
  ListNamedQueriesCommand,
  type NamedQuery,
  UpdateNamedQueryCommand,
} from '@aws-sdk/client-athena'
import { awsErrorName } from '../aws-calls.ts'
import { retrying } from '../retries.ts'
import { describeQuery, editorText, isOurs } from './named-query-text.ts'
import type { SavedQuery } from './saved-queries.ts'

/** Athena's limit of `BatchGetNamedQuery`. */
const QUERIES_PER_CALL = 50
export interface NamedQueryPlace {
  readonly workgroup: string
  readonly database: string
}

/** Named queries of the work group that carry our mark, those of this database alone. */
async function findOurs(athena: AthenaClient, { workgroup, database }: NamedQueryPlace): Promise<NamedQuery[]> {
  const ids: string[] = []
  for (let NextToken: string | undefined, first = true; first || NextToken !== undefined; first = false) {
    const input = { WorkGroup: workgroup, MaxResults: QUERIES_PER_CALL, NextToken }
    const page = await retrying(() => athena.send(new ListNamedQueriesCommand(input)))
    ids.push(...(page.NamedQueryIds ?? []))
    NextToken = page.NextToken
  }
  const found: NamedQuery[] = []
  for (let from = 0; from < ids.length; from += QUERIES_PER_CALL) {
    const NamedQueryIds = ids.slice(from, from + QUERIES_PER_CALL)
    const { NamedQueries = [] } = await retrying(() => athena.send(new BatchGetNamedQueryCommand({ NamedQueryIds })))
    found.push(...NamedQueries)
  }
  return found
    .filter((each) => each.Database === database && isOurs(each.Description))
    .sort((a, b) => (String(a.NamedQueryId) < String(b.NamedQueryId) ? -1 : 1))
}

/**
 * Shows the saved queries in Athena's console, as named queries of the work group. What is missing is made, what has another text is
 * changed, what we do not have any more is removed; queries without our mark are never touched. May be repeated at every start, and by
 * several processes at once.
 *
 * @returns what was done, one phrase each; empty when all was as it should be.
 */
export async function ensureNamedQueries(
  athena: AthenaClient,
  place: NamedQueryPlace,
  queries: readonly SavedQuery[],
): Promise<string[]> {
  const done: string[] = []
  const ours = await findOurs(athena, place)
  const kept = new Set<string>()
  for (const query of queries) {
    const found = ours.find((each) => each.Name === query.name)
    if (found?.NamedQueryId === undefined) {
      await create(athena, place, query)
      done.push(`saved query ${query.name}`)
      continue
    }
    kept.add(found.NamedQueryId)
    const [QueryString, Description] = [editorText(query), describeQuery(query)]
    if (found.QueryString === QueryString && found.Description === Description) continue
    const { NamedQueryId } = found
    await retrying(() =>
      athena.send(new UpdateNamedQueryCommand({ NamedQueryId, Name: query.name, QueryString, Description })),
    )
    done.push(`saved query ${query.name}: its text`)
  }
  for (const { NamedQueryId = '', Name } of ours) {
    if (kept.has(NamedQueryId)) continue
    await remove(athena, NamedQueryId)
    done.push(`saved query ${Name}: removed`)
  }
  return done
}

async function create(athena: AthenaClient, { workgroup, database }: NamedQueryPlace, query: SavedQuery) {
  const QueryString = editorText(query)
  const content = [workgroup, database, query.name, describeQuery(query), QueryString]
  await retrying(() =>
    athena.send(
      new CreateNamedQueryCommand({
        ...{
          Name: query.name,
          Description: describeQuery(query),
          Database: database,
          QueryString,
          WorkGroup: workgroup,
        },
        // Two processes that start at once make one query.
        ClientRequestToken: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
      }),
    ),
  )
}

async function remove(athena: AthenaClient, NamedQueryId: string): Promise<void> {
  try {
    await retrying(() => athena.send(new DeleteNamedQueryCommand({ NamedQueryId })))
  } catch (error) {
    // Athena's word for one that is not there: another process was first.
    if (awsErrorName(error) !== 'InvalidRequestException') throw error
  }
}
