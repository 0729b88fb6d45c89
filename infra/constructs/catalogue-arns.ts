import { ArnFormat, Stack } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** `database/rocketgames`, `table/rocketgames/*`, `crawler/…`, `job/…`; the catalogue itself is `catalog`. */
export function glueArn(scope: IConstruct, resource: string): string {
  return Stack.of(scope).formatArn({ service: 'glue', resource, arnFormat: ArnFormat.NO_RESOURCE_NAME })
}

/** Log groups whose names begin so, and their streams. */
export function logGroupsArn(scope: IConstruct, prefix: string): string {
  return Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: `${prefix}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  })
}

/** A catalogue, databases of it, and tables of theirs: a call for a table is checked against all three. */
export function tableArns(
  scope: IConstruct,
  databases: readonly string[],
  tables: readonly string[] = ['*'],
): string[] {
  return [
    ...databaseArns(scope, databases),
    ...databases.flatMap((database) => tables.map((table) => glueArn(scope, `table/${database}/${table}`))),
  ]
}

export function databaseArns(scope: IConstruct, databases: readonly string[]): string[] {
  return [glueArn(scope, 'catalog'), ...databases.map((database) => glueArn(scope, `database/${database}`))]
}
