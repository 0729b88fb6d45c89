import type { JsonObject } from '../../ports.ts'
import { parseS3 } from '../catalogue/link-files.ts'
import { QueryFailure } from '../failure.ts'
import type { CreateTable } from './statement.ts'

interface Format {
  readonly serde: string
  readonly input: string
  readonly output: string
}

const HIVE = 'org.apache.hadoop.hive'
const TEXT: Format = {
  serde: `${HIVE}.serde2.lazy.LazySimpleSerDe`,
  input: 'org.apache.hadoop.mapred.TextInputFormat',
  output: `${HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat`,
}
const FORMATS: Readonly<Record<string, Format>> = {
  PARQUET: {
    serde: `${HIVE}.ql.io.parquet.serde.ParquetHiveSerDe`,
    input: `${HIVE}.ql.io.parquet.MapredParquetInputFormat`,
    output: `${HIVE}.ql.io.parquet.MapredParquetOutputFormat`,
  },
  ORC: {
    serde: `${HIVE}.ql.io.orc.OrcSerde`,
    input: `${HIVE}.ql.io.orc.OrcInputFormat`,
    output: `${HIVE}.ql.io.orc.OrcOutputFormat`,
  },
  AVRO: {
    serde: `${HIVE}.serde2.avro.AvroSerDe`,
    input: `${HIVE}.ql.io.avro.AvroContainerInputFormat`,
    output: `${HIVE}.ql.io.avro.AvroContainerOutputFormat`,
  },
  TEXTFILE: TEXT,
  SEQUENCEFILE: {
    ...TEXT,
    input: 'org.apache.hadoop.mapred.SequenceFileInputFormat',
    output: `${HIVE}.ql.io.HiveSequenceFileOutputFormat`,
  },
  RCFILE: {
    serde: `${HIVE}.serde2.columnar.LazyBinaryColumnarSerDe`,
    input: `${HIVE}.ql.io.RCFileInputFormat`,
    output: `${HIVE}.ql.io.RCFileOutputFormat`,
  },
}

/** What Glue is told about a table of CREATE EXTERNAL TABLE. */
export function tableInputOf(s: CreateTable): JsonObject {
  parseS3(s.location)
  const format = FORMATS[s.storedAs ?? 'TEXTFILE']
  if (format === undefined) throw new QueryFailure('NOT_SUPPORTED', `STORED AS ${s.storedAs} is not supported`)
  const keys = new Set(s.columns.map((c) => c.Name))
  const twice = s.partitionKeys.find((k) => keys.has(k.Name))
  if (twice !== undefined)
    throw new QueryFailure('INVALID_TABLE_PROPERTY', `Column repeated in partitioning columns: ${twice.Name}`)
  const parameters = { ...(s.delimited ?? {}), ...s.serdeProperties }
  return {
    Name: s.name.table,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: s.partitionKeys,
    Parameters: { EXTERNAL: 'TRUE', ...(s.comment === undefined ? {} : { comment: s.comment }), ...s.properties },
    StorageDescriptor: {
      Columns: s.columns,
      Location: s.location,
      InputFormat: s.inputFormat ?? format.input,
      OutputFormat: s.outputFormat ?? format.output,
      Compressed: false,
      NumberOfBuckets: -1,
      SerdeInfo: {
        SerializationLibrary: s.serde ?? format.serde,
        Parameters: Object.keys(parameters).length === 0 ? { 'serialization.format': '1' } : parameters,
      },
      BucketColumns: [],
      SortColumns: [],
      Parameters: {},
      StoredAsSubDirectories: false,
    },
  }
}
