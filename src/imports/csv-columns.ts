import { z } from 'zod'

/** How the text of a cell becomes a value: as it is, or read as JSON (numbers, booleans, lists). */
export type CellKind = 'text' | 'json'

/** The columns that a CSV of this line may have: the path of each field. References are objects, and their keys have paths. */
export function csvColumns(schema: z.ZodType): ReadonlyMap<string, CellKind> {
  const columns = new Map<string, CellKind>()
  const visit = (field: z.core.$ZodType, path: string): void => {
    const bare = unwrapped(field)
    if (bare instanceof z.ZodObject) {
      for (const [name, inner] of Object.entries(bare.shape)) {
        visit(inner as z.core.$ZodType, path === '' ? name : `${path}.${name}`)
      }
      return
    }
    const { type } = bare._zod.def
    columns.set(path, type === 'string' || type === 'enum' ? 'text' : 'json')
  }
  visit(schema, '')
  return columns
}

/** What a caller sends, below everything that is made of it. */
function unwrapped(field: z.core.$ZodType): z.core.$ZodType {
  if (field instanceof z.ZodOptional || field instanceof z.ZodNullable || field instanceof z.ZodDefault) {
    return unwrapped(field.unwrap() as z.core.$ZodType)
  }
  return field instanceof z.ZodPipe ? unwrapped(field.in as z.core.$ZodType) : field
}
