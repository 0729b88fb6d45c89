/** Every environment as data: what differs between them stands here, and nothing else does. */

export interface StageSettings {
  readonly name: 'dev' | 'prod' | 'small'
  /** What answers requests: tasks of ECS behind a load balancer, or a function behind API Gateway. */
  readonly compute: 'fargate' | 'lambda'
  readonly region: string
  /** Of the VPC, a /16 that overlaps with nothing that it is peered with. */
  readonly cidr: string
  readonly zones: 2 | 3
  readonly natGateways: number
  /** Interface endpoints for every AWS API that the program calls: they cost by the hour, and keep calls off the NAT. */
  readonly privateEndpoints: boolean
  readonly database: {
    /** Class without `db.`. */
    readonly instance: string
    readonly storageGb: number
    /** To which storage grows by itself. */
    readonly maxStorageGb: number
    readonly multiAz: boolean
    readonly backupDays: number
    /** Against deletion, of the database and of the data of the lake. */
    readonly protected: boolean
  }
  readonly service: {
    readonly cpu: number
    readonly memoryMiB: number
    readonly min: number
    readonly max: number
    /** Has an address in the internet; otherwise it is reached from the VPC and from networks that are connected with it. */
    readonly public: boolean
    /** Networks whose connections the load balancer takes. */
    readonly callers: readonly string[]
  }
  readonly snapshot: {
    /** Five fields, as in LAKE_SCHEDULE. */
    readonly cron: string
    readonly zone: string
    readonly cpu: number
    readonly memoryMiB: number
  }
  /** Under which name the API is called. With `compute: 'fargate'` there has to be one: keys never travel without TLS. */
  readonly domain?: {
    readonly name: string
    /** Parameter of Systems Manager that holds the ARN of the certificate: it names the account, so it is not written here. */
    readonly certificateParameter: string
  }
  readonly alarmEmail: string
  readonly budgetUsd: number
  readonly tracing: boolean
  /** Glue databases. */
  readonly databases: { readonly raw: string; readonly live: string; readonly curated: string }
  readonly workgroup: string
  /**
   * The API whose holds keep retention away from the snapshots that the curate job reads, and the secret, made by a person, whose whole
   * text is a key of it with the scope `lake:snapshot`. Without it the time between the views and the files has to be enough.
   */
  readonly holds?: { readonly apiUrl: string; readonly secretName: string }
  /** What the curated tables are loaded into after each of their runs; without it they are read by Athena alone. */
  readonly warehouse?: Warehouse
}

/** The same as the arguments of the job that loads it, see docs/warehouse.md. Secrets and roles by name: they are made elsewhere. */
export type Warehouse =
  | { readonly target: 'postgres'; readonly secretName: string }
  | {
      readonly target: 'redshift'
      /** Of Redshift Serverless. */
      readonly workgroup: string
      readonly database: string
      /** Attached to the warehouse: COPY reads the lake by it. */
      readonly copyRoleName: string
    }
  | { readonly target: 'snowflake'; readonly secretName: string; readonly stage: string }

const GLUE_DATABASES = { raw: 'rocketgames_raw', live: 'rocketgames', curated: 'rocketgames_curated' } as const

export const STAGES: readonly StageSettings[] = [
  {
    name: 'dev',
    compute: 'fargate',
    region: 'eu-central-1',
    cidr: '10.40.0.0/16',
    zones: 2,
    natGateways: 1,
    privateEndpoints: false,
    database: {
      instance: 't4g.medium',
      storageGb: 20,
      maxStorageGb: 100,
      multiAz: false,
      backupDays: 3,
      protected: false,
    },
    service: { cpu: 512, memoryMiB: 1024, min: 2, max: 4, public: false, callers: ['10.0.0.0/8'] },
    snapshot: { cron: '0 2 * * *', zone: 'UTC', cpu: 1024, memoryMiB: 2048 },
    domain: {
      name: 'accounts.dev.rocketgames.example',
      certificateParameter: '/rocketgames-accounts/dev/certificate-arn',
    },
    alarmEmail: 'accounts-dev@rocketgames.example',
    budgetUsd: 300,
    tracing: true,
    databases: GLUE_DATABASES,
    workgroup: 'rocketgames',
  },
  {
    name: 'prod',
    compute: 'fargate',
    region: 'eu-central-1',
    cidr: '10.41.0.0/16',
    zones: 2,
    natGateways: 2,
    privateEndpoints: true,
    database: {
      instance: 'm7g.large',
      storageGb: 200,
      maxStorageGb: 1000,
      multiAz: true,
      backupDays: 14,
      protected: true,
    },
    service: { cpu: 1024, memoryMiB: 2048, min: 2, max: 8, public: false, callers: ['10.0.0.0/8'] },
    snapshot: { cron: '0 */6 * * *', zone: 'UTC', cpu: 2048, memoryMiB: 4096 },
    domain: {
      name: 'accounts.rocketgames.example',
      certificateParameter: '/rocketgames-accounts/prod/certificate-arn',
    },
    alarmEmail: 'accounts-oncall@rocketgames.example',
    budgetUsd: 1500,
    tracing: true,
    databases: GLUE_DATABASES,
    workgroup: 'rocketgames',
  },
  {
    name: 'small',
    compute: 'lambda',
    region: 'eu-central-1',
    cidr: '10.42.0.0/16',
    zones: 2,
    natGateways: 1,
    privateEndpoints: false,
    database: {
      instance: 't4g.small',
      storageGb: 20,
      maxStorageGb: 50,
      multiAz: false,
      backupDays: 7,
      protected: true,
    },
    service: { cpu: 512, memoryMiB: 1024, min: 0, max: 0, public: true, callers: [] },
    snapshot: { cron: '0 2 * * *', zone: 'UTC', cpu: 512, memoryMiB: 1024 },
    alarmEmail: 'accounts-small@rocketgames.example',
    budgetUsd: 150,
    tracing: false,
    databases: GLUE_DATABASES,
    workgroup: 'rocketgames',
  },
]

/** @throws Error that names the stages there are. */
export function stageNamed(name: string): StageSettings {
  const found = STAGES.find((stage) => stage.name === name)
  if (found === undefined) {
    throw new Error(
      `There is no stage ${JSON.stringify(name)}: ${STAGES.map((stage) => stage.name).join(', ')} are in infra/stages.ts`,
    )
  }
  return found
}
