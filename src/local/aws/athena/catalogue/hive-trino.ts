import { type HiveType, HiveTypeError, parseHiveType } from '../../glue/hive-types.ts'
import { Cursor } from '../dialect/cursor.ts'
import { tokenize } from '../dialect/tokens.ts'
import {
  array,
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  decimal,
  INTEGER,
  map,
  REAL,
  resolveType,
  row,
  SMALLINT,
  TINYINT,
  type TrinoType,
  timestamp,
  typeText,
  VARBINARY,
  VARCHAR,
  varchar,
} from '../dialect/trino-type.ts'
import { parseTypeName } from '../dialect/type-names.ts'
import { QueryFailure } from '../failure.ts'

/** The type a column of the catalogue has in queries. Throws NOT_SUPPORTED for one that is none. */
export function hiveToTrino(text: string): TrinoType {
  try {
    return convert(parseHiveType(text))
  } catch (error) {
    if (error instanceof HiveTypeError)
      throw new QueryFailure('NOT_SUPPORTED', `Column type ${text.slice(0, 80)} is not supported by the local engine`)
    throw error
  }
}

const SIMPLE: Readonly<Record<string, TrinoType>> = {
  boolean: BOOLEAN,
  tinyint: TINYINT,
  smallint: SMALLINT,
  int: INTEGER,
  bigint: BIGINT,
  float: REAL,
  double: DOUBLE,
  date: DATE,
  timestamp: timestamp(3),
  string: VARCHAR,
  binary: VARBINARY,
}

function convert(t: HiveType): TrinoType {
  switch (t.kind) {
    case 'decimal':
      return decimal(t.precision, t.scale)
    case 'varchar':
      return varchar(t.length)
    case 'char':
      return { name: 'char', p: t.length }
    case 'array':
      return array(convert(t.element))
    case 'map':
      return map(convert(t.key), convert(t.value))
    case 'struct':
      return row(
        t.fields.map((f) => convert(f.type)),
        t.fields.map((f) => f.name),
      )
    case 'unknown':
      throw new QueryFailure('NOT_SUPPORTED', `Column type ${t.name.slice(0, 80)} is not supported by the local engine`)
    default:
      return SIMPLE[t.kind]!
  }
}

/** The catalogue's type of a view's column. Types that Hive lacks become string, as in AWS. */
export function trinoToHive(t: TrinoType): string {
  switch (t.name) {
    case 'integer':
      return 'int'
    case 'real':
      return 'float'
    case 'varbinary':
      return 'binary'
    case 'timestamp':
    case 'timestamp with time zone':
      return 'timestamp'
    case 'decimal':
      return typeText(t).replace(/ /g, '')
    case 'varchar':
      return t.p === undefined || t.p > 65535 || t.p === 0 ? 'string' : `varchar(${t.p})`
    case 'array':
      return `array<${trinoToHive(t.args![0]!)}>`
    case 'map':
      return `map<${trinoToHive(t.args![0]!)},${trinoToHive(t.args![1]!)}>`
    case 'row':
      return `struct<${t.args!.map((a, i) => `${t.fields?.[i] ?? `field${i}`}:${trinoToHive(a)}`).join(',')}>`
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'bigint':
    case 'double':
    case 'date':
      return t.name
    default:
      return 'string'
  }
}

/** A Trino type from its name, as it stands in the JSON of a view. */
export function trinoTypeOf(text: string): TrinoType {
  const c = new Cursor(text, tokenize(text))
  return resolveType(parseTypeName(c))
}

/** ColumnInfo of a result: Athena's names, precision and scale. */
export function columnInfo(name: string, t: TrinoType): Record<string, unknown> {
  const sized: Readonly<Record<string, [string, number, number]>> = {
    boolean: ['boolean', 0, 0],
    tinyint: ['tinyint', 3, 0],
    smallint: ['smallint', 5, 0],
    integer: ['integer', 10, 0],
    bigint: ['bigint', 19, 0],
    real: ['float', 17, 0],
    double: ['double', 17, 0],
    date: ['date', 0, 0],
    timestamp: ['timestamp', 3, 0],
    'timestamp with time zone': ['timestamp with time zone', 3, 0],
    time: ['time', 3, 0],
    varbinary: ['varbinary', 1073741824, 0],
    unknown: ['unknown', 0, 0],
  }
  const [Type, Precision, Scale] =
    t.name === 'decimal'
      ? ['decimal', t.p!, t.s!]
      : t.name === 'varchar' || t.name === 'char'
        ? [t.name, t.p ?? 2147483647, 0]
        : (sized[t.name] ?? [t.name, 0, 0])
  const text = t.name === 'varchar' || t.name === 'char'
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: name,
    Label: name,
    Type,
    Precision,
    Scale,
    Nullable: 'UNKNOWN',
    CaseSensitive: text,
  }
}
