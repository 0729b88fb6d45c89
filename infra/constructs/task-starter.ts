import { ArnFormat, Stack } from 'aws-cdk-lib'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { accept } from '../nag.ts'
import type { ProgramTask } from './program-task.ts'

/** Lets a role start these tasks in this cluster and look how they end; no other task. What they run, see fixed-command.ts. */
export function grantStart(role: iam.IRole, cluster: ecs.ICluster, tasks: readonly ProgramTask[]): void {
  const stack = Stack.of(cluster)
  const arn = (resource: string, resourceName: string) =>
    stack.formatArn({ service: 'ecs', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME })
  const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } }
  const roles = tasks.flatMap(({ definition }) => [definition.taskRole, definition.obtainExecutionRole()])
  const statements = [
    new iam.PolicyStatement({
      sid: 'StartTasks',
      actions: ['ecs:RunTask'],
      // By family: every release makes a revision.
      resources: tasks.map(({ family }) => arn('task-definition', `${family}:*`)),
      conditions: inCluster,
    }),
    new iam.PolicyStatement({
      sid: 'SeeHowTheyEnd',
      actions: ['ecs:DescribeTasks'],
      resources: [arn('task', `${cluster.clusterName}/*`)],
      conditions: inCluster,
    }),
    new iam.PolicyStatement({
      sid: 'GiveThemTheirRoles',
      actions: ['iam:PassRole'],
      resources: roles.map(({ roleArn }) => roleArn),
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
  ]
  for (const statement of statements) role.addToPrincipalPolicy(statement)
  accept(role, {
    rule: 'AwsSolutions-IAM5',
    finding: /^Resource::arn:.*:ecs:.*:(task-definition\/.*:\*|task\/.*\/\*)$/,
    reason:
      'ECS gives each revision of a task definition and each task a number of its own: the families and the cluster are named, and a condition holds the cluster once more.',
  })
}
