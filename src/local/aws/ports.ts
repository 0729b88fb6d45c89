/**
 * What the three services of the local endpoint may ask of each other. Each service implements its own port and knows the
 * others by these types only.
 */
import type { Database, Partition, Table } from '@aws-sdk/client-glue'

/** An SDK shape as it travels in AWS JSON 1.1: dates are epoch seconds. */
export type Wire<T> = T extends Date
  ? number
  : T extends Uint8Array
    ? string
    : T extends readonly (infer U)[]
      ? Wire<U>[]
      : T extends object
        ? { [K in keyof T]: Wire<T[K]> }
        : T

export type WireTable = Wire<Table>
export type WirePartition = Wire<Partition>
export type WireDatabase = Wire<Database>
export type JsonObject = Record<string, unknown>

/** An error in AWS's own form: `code` is the exception's name on the wire. */
export class AwsError extends Error {
  override readonly name = 'AwsError'
  readonly code: string
  readonly status: number
  /** Further members of the answer, for example `AthenaErrorCode`. */
  readonly extra: JsonObject

  constructor(code: string, message: string, status = 400, extra: JsonObject = {}) {
    super(message)
    this.code = code
    this.status = status
    this.extra = extra
  }
}

export interface RequestContext {
  readonly requestId: string
  readonly region: string
  readonly accessKeyId: string
}

export type JsonOperation = (input: JsonObject, context: RequestContext) => Promise<JsonObject> | JsonObject

/** A service that speaks AWS JSON 1.1. */
export interface JsonService {
  /** First half of `X-Amz-Target`: `AWSGlue`, `AmazonAthena`. */
  readonly target: string
  /** By operation name. An operation that is not here is `UnknownOperationException`. */
  readonly operations: Readonly<Record<string, JsonOperation>>
  /** Stops background work; nothing acknowledged is lost. */
  close(): Promise<void>
}

export interface StoredObject {
  readonly key: string
  readonly size: number
  /** With quotes, as in the header. */
  readonly etag: string
  readonly lastModified: Date
}

/** The objects of the S3 service, for services of the same process. Only committed objects exist here. */
export interface ObjectStore {
  hasBucket(bucket: string): boolean
  /** Objects whose key begins with `prefix`, in byte order of their keys. */
  list(bucket: string, prefix: string): AsyncIterable<StoredObject> | Iterable<StoredObject>
  head(bucket: string, key: string): StoredObject | undefined
  /**
   * The immutable file that holds the object's bytes. It may be hard-linked: a later PUT or DELETE replaces the name and
   * never changes the file. Undefined when there is no such object.
   */
  blobPath(bucket: string, key: string): string | undefined
  /** Durable when it resolves. The bucket must exist. */
  put(bucket: string, key: string, body: Uint8Array, contentType?: string): Promise<StoredObject>
  /** Takes over a finished file (renamed or copied into the store). Durable when it resolves. */
  putFile(bucket: string, key: string, path: string, contentType?: string): Promise<StoredObject>
  delete(bucket: string, key: string): Promise<void>
}

/** The Glue Data Catalog, for Athena. Names are lower case. Answers are copies. */
export interface Catalogue {
  databases(): WireDatabase[]
  database(name: string): WireDatabase | undefined
  tables(database: string): WireTable[]
  table(database: string, name: string): WireTable | undefined
  partitions(database: string, table: string): WirePartition[]
  /** The operations of the Glue API themselves, for DDL: the same checks, the same errors. */
  call(operation: string, input: JsonObject): Promise<JsonObject>
}
