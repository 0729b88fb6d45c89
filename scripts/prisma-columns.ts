/** A column of `schema.prisma`, in the words of the database. */
export interface SchemaColumn {
  readonly table: string
  readonly column: string
  /** As `PgType` says it; of a type that the lake does not know, what Postgres calls it. */
  readonly type: string
  readonly nullable: boolean
  /** Of an enum. */
  readonly labels: readonly string[]
}

/** Types of Prisma without a native one (Prisma schema reference, "Model field scalar types"). */
const SCALARS: Readonly<Record<string, string>> = {
  ...{ String: 'text', Int: 'integer', BigInt: 'bigint', Boolean: 'boolean', Json: 'jsonb', Bytes: 'bytea' },
  ...{ DateTime: 'timestamp(3)', Decimal: 'numeric(65,30)', Float: 'double precision' },
}
const NATIVE: Readonly<Record<string, string>> = {
  ...{ Uuid: 'uuid', Date: 'date', SmallInt: 'smallint', Integer: 'integer', BigInt: 'bigint', Boolean: 'boolean' },
  ...{ Text: 'text', VarChar: 'text', JsonB: 'jsonb', Timestamptz: 'timestamptz', Timestamp: 'timestamp' },
  ...{ Decimal: 'numeric', Char: 'char', Inet: 'inet', Time: 'time', Timetz: 'timetz', Json: 'json' },
}

/**
 * Reads models and enums of a Prisma schema as the formatter writes it, one field a line. Relations are no columns.
 *
 * @throws Error naming a line that has the form of no field.
 */
export function prismaColumns(schema: string): SchemaColumn[] {
  const blocks = [...schema.matchAll(/^(model|enum) (\w+) \{\n([\s\S]*?)^\}/gm)].map(
    ([, kind, name = '', body = '']) => ({
      kind,
      name,
      mapped: /@@map\("([^"]+)"\)/.exec(body)?.[1] ?? name,
      lines: body.split('\n').map((line) => line.replace(/\s*\/\/.*$/, '').trim()),
    }),
  )
  const names = (kind: string) => new Set(blocks.filter((block) => block.kind === kind).map((block) => block.name))
  const [models, enums] = [names('model'), names('enum')]
  const labels = new Map(blocks.map(({ lines, name }) => [name, lines.filter((line) => /^\w+$/.test(line))]))
  return blocks.flatMap(({ kind, lines, mapped }) =>
    kind !== 'model'
      ? []
      : lines.flatMap((line): SchemaColumn[] => {
          if (line === '' || line.startsWith('@@')) return []
          const match = /^(\w+)\s+(\w+|Unsupported\("[^"]+"\))(\[\])?(\?)?(\s|$)/.exec(line)
          if (!match) throw new Error(`schema.prisma, ${mapped}: ${line} is no field`)
          const [, field = '', type = '', list, optional] = match
          if (models.has(type)) return []
          const column = /@map\("([^"]+)"\)/.exec(line)?.[1] ?? field
          const base = enums.has(type) ? 'enum' : (nativeType(line) ?? SCALARS[type] ?? type)
          return [
            {
              ...{ table: mapped, column, nullable: optional !== undefined },
              type: `${base}${list ?? ''}`,
              labels: list === undefined ? (labels.get(enums.has(type) ? type : '') ?? []) : [],
            },
          ]
        }),
  )
}

function nativeType(line: string): string | undefined {
  const match = /@db\.(\w+)(?:\(([\d, ]+)\))?/.exec(line)
  if (!match) return undefined
  const [, name = '', digits] = match
  const type = NATIVE[name] ?? name.toLowerCase()
  return digits === undefined || type === 'text' ? type : `${type}(${digits.replaceAll(' ', '')})`
}
