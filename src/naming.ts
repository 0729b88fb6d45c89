/**
 * SQL and the lake say `snake_case`, JSON and TypeScript say `camelCase`: the one mapping, so that no field has a name of its
 * own. Imports nothing.
 */

/** `status_changed_at` -> `statusChangedAt`. */
export function toCamelCase(column: string): string {
  return column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `statusChangedAt` -> `status_changed_at`. */
export function toSnakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
