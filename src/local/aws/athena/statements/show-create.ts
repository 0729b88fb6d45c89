import type { WireTable } from '../../ports.ts'
import { isView } from '../catalogue/presto-view.ts'
import { QueryFailure } from '../failure.ts'

const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`
const columns = (list: WireTable['PartitionKeys']) =>
  (list ?? []).map((c) => `  \`${c.Name}\` ${c.Type}${c.Comment ? ` COMMENT ${quote(c.Comment)}` : ''}`).join(', \n')
const properties = (p: Record<string, string> | undefined) =>
  Object.entries(p ?? {})
    .sort()
    .map(([k, v]) => `  ${quote(k)}=${quote(v)}`)
    .join(', \n')

/** The statement that would make the table again, in Hive's form. */
export function createTableText(t: WireTable): string {
  if (isView(t)) throw new QueryFailure('NOT_SUPPORTED', `'${t.Name}' is a view; use SHOW CREATE VIEW`)
  const sd = t.StorageDescriptor
  const out = [`CREATE EXTERNAL TABLE \`${t.DatabaseName}.${t.Name}\`(`, `${columns(sd?.Columns)})`]
  if (t.Parameters?.comment) out.push(`COMMENT ${quote(t.Parameters.comment)}`)
  if ((t.PartitionKeys ?? []).length > 0) out.push('PARTITIONED BY ( ', `${columns(t.PartitionKeys)})`)
  if (sd?.SerdeInfo?.SerializationLibrary) {
    out.push('ROW FORMAT SERDE ', `  ${quote(sd.SerdeInfo.SerializationLibrary)} `)
    const own = Object.fromEntries(
      Object.entries(sd.SerdeInfo.Parameters ?? {}).filter(([k]) => k !== 'serialization.format'),
    )
    if (Object.keys(own).length > 0) out.push('WITH SERDEPROPERTIES ( ', `${properties(own)}) `)
  }
  if (sd?.InputFormat)
    out.push(
      'STORED AS INPUTFORMAT ',
      `  ${quote(sd.InputFormat)} `,
      'OUTPUTFORMAT ',
      `  ${quote(sd.OutputFormat ?? '')}`,
    )
  out.push('LOCATION', `  ${quote(sd?.Location ?? '')}`)
  const own = Object.fromEntries(
    Object.entries(t.Parameters ?? {}).filter(([k]) => !['EXTERNAL', 'comment'].includes(k)),
  )
  if (Object.keys(own).length > 0) out.push('TBLPROPERTIES (', `${properties(own)})`)
  return out.join('\n')
}
