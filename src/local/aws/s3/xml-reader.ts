import { XMLParser } from 'fast-xml-parser'
import { s3Error } from './s3-error.ts'

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** An element's children by name, each a list; text under `#text`. */
export type XmlNode = Readonly<Record<string, readonly (XmlNode | string)[] | string | undefined>>

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  // a key may begin or end with spaces
  trimValues: false,
  // the default stops at 1,000, fewer than the keys one DeleteObjects may carry
  processEntities: { enabled: true, maxTotalExpansions: 1_000_000, maxExpandedLength: 16 * 1024 * 1024 },
  htmlEntities: true,
  isArray: () => true,
  maxNestedTags: 10,
})

/**
 * The root element of a request's document.
 *
 * @throws AwsError `MalformedXML` for anything that is not well formed, has another root, or declares a document type
 *   (no client sends one; entities are how such parsers are attacked).
 */
export function readXml(text: string, root: string): XmlNode {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw s3Error('MalformedXML', 'A document type is not allowed in a request.')
  let parsed: Record<string, unknown>
  try {
    parsed = parser.parse(text, true) as Record<string, unknown>
  } catch {
    throw s3Error('MalformedXML')
  }
  const found = Array.isArray(parsed[root]) ? (parsed[root] as unknown[]) : []
  if (found.length !== 1) throw s3Error('MalformedXML', `The document must be one ${root} element.`)
  return typeof found[0] === 'object' ? (found[0] as XmlNode) : {}
}

/** All child elements of a name; one without children counts as empty. */
export function childElements(node: XmlNode, name: string): XmlNode[] {
  const list = node[name]
  if (!Array.isArray(list)) return []
  return list.map((child) => (typeof child === 'object' ? (child as XmlNode) : {}))
}

/** The text of the first child of a name; undefined when there is none. */
export function childText(node: XmlNode, name: string): string | undefined {
  const list = node[name]
  if (!Array.isArray(list)) return undefined
  const [first] = list
  return typeof first === 'string' ? first : textOf(first as XmlNode | undefined)
}

function textOf(node: XmlNode | undefined): string {
  const text = node?.['#text']
  return typeof text === 'string' ? text : Array.isArray(text) ? text.join('') : ''
}

/** @throws AwsError `MalformedXML` naming the child that is missing. */
export function requiredText(node: XmlNode, name: string): string {
  const text = childText(node, name)
  if (text === undefined) throw s3Error('MalformedXML', `An element ${name} is missing.`)
  return text
}
