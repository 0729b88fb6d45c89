import type { Role } from './roles.ts'

/** `serve` of `rocketgames-accounts-prod-serve`; names of other resources as they are. */
const withoutStage = (name: string, stage: string) => name.replace(`rocketgames-accounts-${stage}-`, '')

/**
 * What a role is called where people read of it: by what it is for, `task serve`, not by its place in a template. Two that
 * are for the same are told apart by their own names.
 */
export function roleName({ resource, uses }: Role, stage: string): string {
  const [use] = uses.map(({ resource: user, property }) => ({ type: user.type, property, name: user.name }))
  const plain = withoutStage(resource.name, stage)
  if (!use) return plain
  const name = withoutStage(use.name, stage)
  switch (use.type) {
    case 'AWS::ECS::TaskDefinition':
      return use.property === 'ExecutionRoleArn' ? `start of task ${name}` : `task ${name}`
    case 'AWS::Lambda::Function':
      return `function ${name}`
    case 'AWS::Glue::Job':
      return `job ${name}`
    case 'AWS::Glue::Crawler':
      return `crawler ${name}`
    case 'AWS::Scheduler::Schedule':
      return `schedule ${name}`
    default:
      return plain
  }
}
