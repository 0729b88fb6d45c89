import { element, xmlDocument } from '../xml-writer.ts'
import { s3Error } from './s3-error.ts'
import { childElements, readXml, requiredText, S3_NAMESPACE } from './xml-reader.ts'

export type Tags = Readonly<Record<string, string>>

export const MAX_OBJECT_TAGS = 10
export const MAX_BUCKET_TAGS = 50

function collect(pairs: Iterable<readonly [string, string]>, limit: number): Tags {
  const tags: Record<string, string> = Object.create(null)
  let count = 0
  for (const [key, value] of pairs) {
    if (key === '' || key.length > 128) throw s3Error('InvalidTag', 'A tag key must have 1 to 128 characters.')
    if (value.length > 256) throw s3Error('InvalidTag', 'A tag value may have at most 256 characters.')
    if (key in tags) throw s3Error('InvalidTag', 'Cannot provide multiple Tags with the same key')
    if (++count > limit) throw s3Error('InvalidTag', `There may be at most ${limit} tags.`)
    tags[key] = value
  }
  return { ...tags }
}

/** `x-amz-tagging`: pairs in the form of a query string. */
export function readTagHeader(header: string | undefined): Tags {
  return header === undefined ? {} : collect(new URLSearchParams(header), MAX_OBJECT_TAGS)
}

/** A Tagging document. */
export function readTagging(xml: string, limit: number): Tags {
  const [set] = childElements(readXml(xml, 'Tagging'), 'TagSet')
  if (set === undefined) throw s3Error('MalformedXML')
  return collect(
    childElements(set, 'Tag').map((tag) => [requiredText(tag, 'Key'), requiredText(tag, 'Value')] as const),
    limit,
  )
}

export function writeTagging(tags: Tags): string {
  const set = Object.entries(tags).map(([key, value]) => element('Tag', element('Key', key), element('Value', value)))
  return xmlDocument(element('Tagging', element('TagSet', set)), S3_NAMESPACE)
}
