import { GlueClient } from '@aws-sdk/client-glue'
import { type AwsAddress, clientSettings } from '../aws-calls.ts'

export function createGlueClient(address: AwsAddress): GlueClient {
  return new GlueClient(clientSettings(address))
}
