import { ECSClient } from '@aws-sdk/client-ecs'
import { type AwsAddress, clientSettings } from '../aws-calls.ts'

export function createEcsClient(address: AwsAddress): ECSClient {
  return new ECSClient(clientSettings(address))
}
