import type { StackProps } from 'aws-cdk-lib'
import type { StageSettings } from '../stages.ts'
import type { ClusterStack } from './cluster-stack.ts'
import type { DatabaseStack } from './database-stack.ts'
import type { LakeStack } from './lake-stack.ts'
import type { NetworkStack } from './network-stack.ts'
import type { TaskStack } from './task-stack.ts'

/** What stands before anything answers requests, whatever does. */
export interface ApiStackProps extends StackProps {
  readonly settings: StageSettings
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly cluster: ClusterStack
  readonly tasks: TaskStack
}
