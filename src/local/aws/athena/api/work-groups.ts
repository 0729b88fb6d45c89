import type { JsonObject, JsonOperation } from '../../ports.ts'
import { invalidRequest, object, optionalText, page, text } from './input.ts'
import type { JsonFolder } from './json-folder.ts'

export interface WorkGroup {
  readonly name: string
  state: 'ENABLED' | 'DISABLED'
  description: string
  configuration: JsonObject
  readonly created: number
}

const MIN_CUTOFF_BYTES = 10_000_000
const ENGINE = { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' }

export async function ensurePrimary(groups: JsonFolder<WorkGroup>): Promise<void> {
  if (groups.get('primary') !== undefined) return
  await groups.put('primary', {
    name: 'primary',
    state: 'ENABLED',
    description: '',
    configuration: {
      ResultConfiguration: {},
      EnforceWorkGroupConfiguration: false,
      PublishCloudWatchMetricsEnabled: false,
      RequesterPaysEnabled: false,
      EngineVersion: ENGINE,
    },
    created: Date.now() / 1000,
  })
}

export function getGroup(groups: JsonFolder<WorkGroup>, name: string): WorkGroup {
  const group = groups.get(name)
  if (group === undefined) throw invalidRequest(`WorkGroup ${name} is not found.`, 'WORKGROUP_NOT_FOUND')
  return group
}

function checkCutoff(configuration: JsonObject): void {
  const cutoff = configuration.BytesScannedCutoffPerQuery
  if (cutoff !== undefined && (typeof cutoff !== 'number' || cutoff < MIN_CUTOFF_BYTES))
    throw invalidRequest(`BytesScannedCutoffPerQuery must be at least ${MIN_CUTOFF_BYTES}`)
}

const present = (g: WorkGroup): JsonObject => ({
  Name: g.name,
  State: g.state,
  Description: g.description,
  CreationTime: g.created,
  Configuration: g.configuration,
})

export function workGroupOperations(
  groups: JsonFolder<WorkGroup>,
  forget: (name: string) => Promise<void>,
): Record<string, JsonOperation> {
  return {
    async CreateWorkGroup(input) {
      const name = text(input, 'Name')
      if (!/^[a-zA-Z0-9._-]{1,128}$/.test(name)) throw invalidRequest(`WorkGroup name ${name} is not valid`)
      if (groups.get(name) !== undefined) throw invalidRequest('WorkGroup is already created')
      const configuration = {
        EnforceWorkGroupConfiguration: true,
        PublishCloudWatchMetricsEnabled: false,
        RequesterPaysEnabled: false,
        ResultConfiguration: {},
        ...object(input, 'Configuration'),
      }
      checkCutoff(configuration)
      await groups.put(name, {
        name,
        state: 'ENABLED',
        description: optionalText(input, 'Description') ?? '',
        configuration: { ...configuration, EngineVersion: ENGINE },
        created: Date.now() / 1000,
      })
      return {}
    },
    GetWorkGroup: (input) => ({ WorkGroup: present(getGroup(groups, text(input, 'WorkGroup'))) }),
    async UpdateWorkGroup(input) {
      const group = getGroup(groups, text(input, 'WorkGroup'))
      const updates = object(input, 'ConfigurationUpdates')
      const configuration: JsonObject = { ...group.configuration }
      for (const [key, value] of Object.entries(updates)) {
        if (key === 'RemoveBytesScannedCutoffPerQuery') {
          if (value === true) delete configuration.BytesScannedCutoffPerQuery
        } else if (key === 'ResultConfigurationUpdates')
          configuration.ResultConfiguration = updatedResult(
            object(configuration, 'ResultConfiguration'),
            value as JsonObject,
          )
        else if (key !== 'EngineVersion') configuration[key] = value
      }
      checkCutoff(configuration)
      const state = optionalText(input, 'State')
      if (state !== undefined && state !== 'ENABLED' && state !== 'DISABLED')
        throw invalidRequest('State must be ENABLED or DISABLED')
      await groups.put(group.name, {
        ...group,
        configuration,
        state: state ?? group.state,
        description: optionalText(input, 'Description') ?? group.description,
      })
      return {}
    },
    async DeleteWorkGroup(input) {
      const name = text(input, 'WorkGroup')
      getGroup(groups, name)
      if (name === 'primary') throw invalidRequest('The primary WorkGroup cannot be deleted')
      await groups.delete(name)
      await forget(name)
      return {}
    },
    ListWorkGroups(input) {
      const { items, next } = page(
        input,
        groups.values().sort((a, b) => (a.name < b.name ? -1 : 1)),
      )
      return {
        WorkGroups: items.map((g) => ({
          Name: g.name,
          State: g.state,
          Description: g.description,
          CreationTime: g.created,
          EngineVersion: ENGINE,
        })),
        ...next,
      }
    },
  }
}

function updatedResult(current: JsonObject, updates: JsonObject): JsonObject {
  const out = { ...current }
  for (const [key, value] of Object.entries(updates)) {
    const removed = /^Remove(.+)$/.exec(key)?.[1]
    if (removed === undefined) out[key] = value
    else if (value === true) delete out[removed]
  }
  return out
}
