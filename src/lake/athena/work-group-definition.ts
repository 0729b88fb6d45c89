import type { WorkGroupConfiguration } from '@aws-sdk/client-athena'

export interface WorkGroupSettings {
  readonly name: string
  /** `s3://…` of the results' bucket. */
  readonly resultsUri: string
  readonly kmsKey?: string | undefined
}

/** 100 GB a query: the whole lake several times, and no more than a cup of coffee. */
export const BYTES_SCANNED_CUTOFF = 100 * 1024 ** 3
export const WORK_GROUP_DESCRIPTION = 'Reads the lake through its views; results are kept for days'
export const ENGINE_VERSION = 'Athena engine version 3'

/** The work group of the program and, made by the infrastructure, those of people. */
export function workGroupConfiguration({ resultsUri, kmsKey }: WorkGroupSettings): WorkGroupConfiguration {
  return {
    // Callers cannot choose another place, another key or no limit.
    EnforceWorkGroupConfiguration: true,
    PublishCloudWatchMetricsEnabled: true,
    BytesScannedCutoffPerQuery: BYTES_SCANNED_CUTOFF,
    EngineVersion: { SelectedEngineVersion: ENGINE_VERSION },
    ResultConfiguration: {
      OutputLocation: resultsUri,
      ...(kmsKey === undefined ? {} : { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: kmsKey } }),
    },
  }
}
