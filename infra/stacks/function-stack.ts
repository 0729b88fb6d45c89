import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StageSettings } from '../stages.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'
import type { TaskStack } from './task-stack.ts'

export interface FunctionStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly tasks: TaskStack
}

/** The API as a function behind API Gateway. */
export class FunctionStack extends Stack {
  constructor(scope: Construct, id: string, props: FunctionStackProps) {
    super(scope, id, { env: props.env ?? {} })
  }
}
