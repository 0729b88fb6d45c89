import { Stage, Tags } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { ClusterStack } from './stacks/cluster-stack.ts'
import { DatabaseStack } from './stacks/database-stack.ts'
import { FunctionStack } from './stacks/function-stack.ts'
import { LakeStack } from './stacks/lake-stack.ts'
import { NetworkStack } from './stacks/network-stack.ts'
import { ServiceStack } from './stacks/service-stack.ts'
import { TaskStack } from './stacks/task-stack.ts'
import { WatchStack } from './stacks/watch-stack.ts'
import type { StageSettings } from './stages.ts'

/** One environment: all of its stacks, each made of those before it. */
export class AccountsStage extends Stage {
  readonly network: NetworkStack
  readonly database: DatabaseStack
  readonly lake: LakeStack
  readonly cluster: ClusterStack
  readonly tasks: TaskStack
  readonly service: ServiceStack | undefined
  readonly function: FunctionStack | undefined
  readonly watch: WatchStack

  constructor(scope: Construct, settings: StageSettings) {
    // The account is that of whoever deploys; templates name none.
    super(scope, settings.name, { env: { region: settings.region } })
    const stack = (name: string) => ({
      settings,
      stackName: `rocketgames-accounts-${settings.name}-${name}`,
      terminationProtection: settings.database.protected,
    })
    const network = new NetworkStack(this, 'network', stack('network'))
    const database = new DatabaseStack(this, 'database', { ...stack('database'), network })
    const lake = new LakeStack(this, 'lake', { ...stack('lake'), network, database })
    const cluster = new ClusterStack(this, 'cluster', { ...stack('cluster'), network, database })
    const tasks = new TaskStack(this, 'tasks', { ...stack('tasks'), network, database, lake, cluster })
    const api = { network, database, lake, cluster, tasks }
    this.service =
      settings.compute === 'fargate' ? new ServiceStack(this, 'service', { ...stack('service'), ...api }) : undefined
    this.function =
      settings.compute === 'lambda' ? new FunctionStack(this, 'function', { ...stack('function'), ...api }) : undefined
    this.watch = new WatchStack(this, 'watch', {
      ...stack('watch'),
      ...api,
      cluster,
      ...(this.service === undefined ? {} : { service: this.service }),
      ...(this.function === undefined ? {} : { function: this.function }),
    })
    this.network = network
    this.database = database
    this.lake = lake
    this.cluster = cluster
    this.tasks = tasks
    Tags.of(this).add('application', 'rocketgames-accounts')
    Tags.of(this).add('stage', settings.name)
  }
}
