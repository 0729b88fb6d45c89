/** One finished element; its text is already escaped. */
export interface XmlElement {
  readonly name: string
  readonly inner: string
}

export type XmlContent = XmlElement | string | number | boolean | undefined | readonly XmlElement[]

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Control characters become character references, as S3 writes them: a raw CR would be read back as LF. */
const escapeText = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
  text.replace(/[&<>"\x00-\x1f\x7f]/g, (c) => ESCAPES[c] ?? `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`)

function write(content: XmlContent): string {
  if (content === undefined) return ''
  if (typeof content === 'string') return escapeText(content)
  if (typeof content === 'number' || typeof content === 'boolean') return String(content)
  if (Array.isArray(content)) return content.map(write).join('')
  const { name, inner } = content as XmlElement
  return `<${name}>${inner}</${name}>`
}

/** `<name>…</name>`. Strings are escaped, elements nested, `undefined` leaves no trace. */
export function element(name: string, ...contents: readonly XmlContent[]): XmlElement {
  return { name, inner: contents.map(write).join('') }
}

/** The element, or nothing when its value is undefined. */
export function optional(name: string, value: string | number | boolean | undefined): XmlElement | undefined {
  return value === undefined ? undefined : element(name, value)
}

export function xmlDocument(root: XmlElement, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root.name}${attribute}>${root.inner}</${root.name}>`
}
