import { type AthenaClient, CreateWorkGroupCommand, GetWorkGroupCommand, type WorkGroup } from '@aws-sdk/client-athena'
import { awsErrorName } from '../aws-calls.ts'
import { retrying } from '../retries.ts'
import {
  ENGINE_VERSION,
  WORK_GROUP_DESCRIPTION,
  type WorkGroupSettings,
  workGroupConfiguration,
} from './work-group-definition.ts'

async function findWorkGroup(athena: AthenaClient, name: string): Promise<WorkGroup | undefined> {
  try {
    const { WorkGroup: group } = await retrying(() => athena.send(new GetWorkGroupCommand({ WorkGroup: name })))
    return group
  } catch (error) {
    // Athena's word for a work group that does not exist.
    if (awsErrorName(error) === 'InvalidRequestException') return undefined
    throw error
  }
}

/** Where an existing work group is weaker than ours, one sentence each. It is never changed. */
export function workGroupDifferences(group: WorkGroup, settings: WorkGroupSettings): string[] {
  const found = group.Configuration ?? {}
  const engine = found.EngineVersion
  const plain = (uri: string | undefined) => uri?.replace(/\/+$/, '')
  const checks: [boolean, string][] = [
    [group.State !== 'DISABLED', 'is disabled'],
    [found.EnforceWorkGroupConfiguration === true, 'does not enforce its configuration'],
    [found.BytesScannedCutoffPerQuery !== undefined, 'has no limit of bytes scanned'],
    [
      plain(found.ResultConfiguration?.OutputLocation) === plain(settings.resultsUri),
      `writes results to ${found.ResultConfiguration?.OutputLocation ?? 'no place of its own'}, not to ${settings.resultsUri}`,
    ],
    [
      engine?.SelectedEngineVersion === ENGINE_VERSION || engine?.EffectiveEngineVersion === ENGINE_VERSION,
      `runs ${engine?.EffectiveEngineVersion ?? 'an unknown engine version'}, not ${ENGINE_VERSION}`,
    ],
  ]
  return checks.flatMap(([right, text]) => (right ? [] : [`The work group ${settings.name} ${text}`]))
}

/** Creates the work group where there is none, and tells where an existing one differs. */
export async function ensureWorkGroup(
  athena: AthenaClient,
  settings: WorkGroupSettings,
): Promise<{ created: boolean; differences: string[] }> {
  const found = await findWorkGroup(athena, settings.name)
  if (found !== undefined) return { created: false, differences: workGroupDifferences(found, settings) }
  const command = new CreateWorkGroupCommand({
    Name: settings.name,
    Description: WORK_GROUP_DESCRIPTION,
    Configuration: workGroupConfiguration(settings),
    Tags: [{ Key: 'app', Value: 'rocketgames-accounts' }],
  })
  try {
    await retrying(() => athena.send(command))
  } catch (error) {
    // Another process may have made it meanwhile.
    const made = await findWorkGroup(athena, settings.name)
    if (made === undefined) throw error
    return { created: false, differences: workGroupDifferences(made, settings) }
  }
  return { created: true, differences: [] }
}
