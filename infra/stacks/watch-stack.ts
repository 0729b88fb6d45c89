import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StageSettings } from '../stages.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { FunctionStack } from './function-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'
import type { ServiceStack } from './service-stack.ts'
import type { TaskStack } from './task-stack.ts'

export interface WatchStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly tasks: TaskStack
  /** Where `compute` is `fargate`. */
  readonly service?: ServiceStack
  /** Where `compute` is `lambda`. */
  readonly function?: FunctionStack
}

/** Dashboard, alarms, budget. */
export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, props: WatchStackProps) {
    super(scope, id, { env: props.env ?? {} })
  }
}
