import { ECSClient } from '@aws-sdk/client-ecs'
import { type AwsAddress, clientSettings } from '../aws-calls.ts'
import { traceCalls } from '../trace-calls.ts'

export function createEcsClient(address: AwsAddress): ECSClient {
  return traceCalls(new ECSClient(clientSettings(address)))
}
