/** The outcome of a rule over one text: the value to store, or why not. `detail` never quotes the text. */
export type Ruled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly detail: string }

export type Rule<T> = (text: string) => Ruled<T>

export function accepted<T>(value: T): Ruled<T> {
  return { ok: true, value }
}

export function refused(code: string, detail: string): Ruled<never> {
  return { ok: false, code, detail }
}

/** Length in code points, as PostgreSQL's `char_length` counts. */
export function characters(text: string): number {
  let count = text.length
  for (let at = 1; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}

export function octets(text: string): number {
  return Buffer.byteLength(text)
}
