import Table from 'cli-table3'

/** Standard output carries answers only; everything said on the way goes to standard error. */

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Columns of numbers only are right-aligned. NULL is shown as an empty cell. */
export function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const numeric = head.map(
    (_, i) => rows.length > 0 && rows.every((r) => r[i] === null || /^-?[\d.,:%]+$/.test(r[i] ?? '')),
  )
  const made = new Table({
    head: [...head],
    colAligns: numeric.map((n) => (n ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: { 'left-mid': '', mid: '', 'mid-mid': '', 'right-mid': '' },
  })
  made.push(...rows.map((r) => r.map((cell) => cell ?? '')))
  return made.toString()
}

/** `1,234,567`. */
export const count = (n: number | bigint): string => n.toLocaleString('en-US')

/** `93.0 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** A word that a POSIX shell reads back as it is. */
export const shellQuote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
