import * as athena from 'aws-cdk-lib/aws-athena'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { describeQuery, editorText } from '../../src/lake/athena/named-query-text.ts'
import { loadSavedQueries } from '../../src/lake/athena/saved-queries.ts'
import {
  BYTES_SCANNED_CUTOFF,
  WORK_GROUP_DESCRIPTION,
  workGroupConfiguration,
} from '../../src/lake/athena/work-group-definition.ts'
import type { StageSettings } from '../stages.ts'
import type { QueryPlace } from './lake-access.ts'

const GIBIBYTE = 1024 ** 3

/** Who runs statements; each group has a folder of its own for results, which its members alone may read. */
export type QueryGroup = 'service' | 'analysts' | 'reports' | 'admin'

const GROUPS: Readonly<Record<QueryGroup, { readonly description: string; readonly limitBytes: number }>> = {
  service: { description: WORK_GROUP_DESCRIPTION, limitBytes: BYTES_SCANNED_CUTOFF },
  analysts: { description: 'People who analyse the lake', limitBytes: 50 * GIBIBYTE },
  reports: { description: 'Reports over tables that tell of no single person', limitBytes: 10 * GIBIBYTE },
  admin: { description: 'Engineers who look after the lake', limitBytes: 500 * GIBIBYTE },
}

export interface QueryGroupsProps {
  readonly databases: StageSettings['databases']
  /** Of the program's own group; the others are named after it. */
  readonly workgroup: string
  readonly results: IBucket
  readonly resultsKey: IKey
}

/** Athena's work groups with their limits, and the saved queries in the editors of those who read them there. */
export class QueryGroups extends Construct {
  readonly places: Readonly<Record<QueryGroup, QueryPlace>>
  readonly groups: Readonly<Record<QueryGroup, athena.CfnWorkGroup>>

  constructor(scope: Construct, id: string, props: QueryGroupsProps) {
    super(scope, id)
    const { workgroup } = props
    const place = (group: QueryGroup): QueryPlace => ({
      workgroup: group === 'service' ? workgroup : `${workgroup}-${group}`,
      folder: `${group}/`,
    })
    this.places = {
      service: place('service'),
      analysts: place('analysts'),
      reports: place('reports'),
      admin: place('admin'),
    }
    this.groups = {
      service: this.#group('service', props),
      analysts: this.#group('analysts', props),
      reports: this.#group('reports', props),
      admin: this.#group('admin', props),
    }
    for (const group of ['service', 'analysts'] as const) this.#queries(group, props)
  }

  #group(group: QueryGroup, { results, resultsKey }: QueryGroupsProps): athena.CfnWorkGroup {
    const { folder, workgroup: name } = this.places[group]
    const { description, limitBytes } = GROUPS[group]
    const { EngineVersion, ResultConfiguration } = workGroupConfiguration({
      name,
      resultsUri: results.s3UrlForObject(folder),
      kmsKey: resultsKey.keyArn,
    })
    return new athena.CfnWorkGroup(this, `Group-${group}`, {
      name,
      description,
      state: 'ENABLED',
      // Its history and its queries go with it.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: limitBytes,
        engineVersion: { selectedEngineVersion: EngineVersion?.SelectedEngineVersion },
        resultConfiguration: {
          outputLocation: ResultConfiguration?.OutputLocation,
          encryptionConfiguration: {
            encryptionOption: ResultConfiguration?.EncryptionConfiguration?.EncryptionOption ?? 'SSE_KMS',
            kmsKey: ResultConfiguration?.EncryptionConfiguration?.KmsKey,
          },
        },
      },
    })
  }

  #queries(group: QueryGroup, { databases }: QueryGroupsProps): void {
    for (const query of loadSavedQueries()) {
      new athena.CfnNamedQuery(this, `Query-${group}-${query.name}`, {
        name: query.name,
        description: describeQuery(query),
        database: query.zone === 'curated' ? databases.curated : databases.live,
        queryString: editorText(query),
        workGroup: this.places[group].workgroup,
      }).addResourceDependency(this.groups[group])
    }
  }
}
