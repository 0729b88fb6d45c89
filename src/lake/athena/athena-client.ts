import { AthenaClient } from '@aws-sdk/client-athena'
import { type AwsAddress, clientSettings } from '../aws-calls.ts'

export function createAthenaClient(address: AwsAddress): AthenaClient {
  return new AthenaClient(clientSettings(address))
}
