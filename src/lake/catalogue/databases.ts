import { CreateDatabaseCommand, GetDatabaseCommand, type GlueClient } from '@aws-sdk/client-glue'
import { awsErrorName } from '../aws-calls.ts'
import { retrying } from '../retries.ts'

export async function hasDatabase(glue: GlueClient, name: string): Promise<boolean> {
  try {
    await retrying(() => glue.send(new GetDatabaseCommand({ Name: name })))
    return true
  } catch (error) {
    if (awsErrorName(error) !== 'EntityNotFoundException') throw error
    return false
  }
}

/** Creates a Glue database where there is none. True when this call made it; an existing one is left as it is. */
export async function ensureDatabase(glue: GlueClient, name: string, description: string): Promise<boolean> {
  if (await hasDatabase(glue, name)) return false
  try {
    await retrying(() =>
      glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: name, Description: description } })),
    )
    return true
  } catch (error) {
    if (awsErrorName(error) === 'AlreadyExistsException') return false
    throw error
  }
}
