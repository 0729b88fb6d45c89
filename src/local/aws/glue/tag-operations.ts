import { ACCOUNT_ID } from '../account-id.ts'
import type { JsonObject, JsonOperation } from '../ports.ts'
import { findDatabase } from './catalogue/find.ts'
import { findCrawler } from './crawler/crawler-operations.ts'
import type { CrawlerStore } from './crawler/crawler-store.ts'
import { invalidInput, notFound, operation, text, textMap, texts } from './request.ts'
import type { CatalogueStore } from './store/catalogue-store.ts'

type Tags = Readonly<Record<string, string>>

interface Tagged {
  readonly tags: Tags
  save(tags: Tags): Promise<void>
}

const MAX_TAGS = 50

/** GetTags, TagResource and UntagResource of databases and crawlers. */
export function tagOperations(catalogue: CatalogueStore, crawlers: CrawlerStore): Record<string, JsonOperation> {
  const find = (kind: string, name: string): Tagged => {
    if (kind === 'crawler') {
      const entry = findCrawler(crawlers, name)
      return { tags: entry.record.tags, save: (tags) => crawlers.save(entry, { ...entry.record, tags }) }
    }
    const entry = findDatabase(catalogue, name)
    return { tags: entry.record.tags, save: (tags) => catalogue.saveDatabase(entry, { ...entry.record, tags }) }
  }
  const change = (input: JsonObject, next: (tags: Tags) => Tags): Promise<JsonObject> => {
    const { kind, name } = parseArn(text(input, 'ResourceArn'))
    const turns = kind === 'crawler' ? crawlers : catalogue
    return turns.exclusive(name, async () => {
      const tagged = find(kind, name)
      const tags = next(tagged.tags)
      if (Object.keys(tags).length > MAX_TAGS) throw invalidInput(`A resource has at most ${MAX_TAGS} tags`)
      await tagged.save(tags)
      return {}
    })
  }
  return {
    GetTags: operation({ required: ['ResourceArn'] }, (input) => {
      const { kind, name } = parseArn(text(input, 'ResourceArn'))
      return { Tags: find(kind, name).tags }
    }),
    TagResource: operation({ required: ['ResourceArn', 'TagsToAdd'] }, (input) =>
      change(input, (tags) => ({ ...tags, ...textMap(input, 'TagsToAdd') })),
    ),
    UntagResource: operation({ required: ['ResourceArn', 'TagsToRemove'] }, (input) => {
      const gone = new Set(texts(input, 'TagsToRemove', MAX_TAGS))
      return change(input, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))))
    }),
  }
}

function parseArn(arn: string): { kind: 'crawler' | 'database'; name: string } {
  const parts = /^arn:aws[\w-]*:glue:[\w-]*:(\d{12}):(crawler|database|[a-zA-Z]+)\/(.+)$/s.exec(arn)
  if (!parts) throw invalidInput(`ResourceArn ${arn} is no ARN of Glue`)
  const [, account, kind, name = ''] = parts
  if (account !== ACCOUNT_ID) throw notFound(`Resource ${arn} not found in account ${ACCOUNT_ID}`)
  if (kind === 'crawler') return { kind, name }
  if (kind === 'database') return { kind, name: name.toLowerCase() }
  throw invalidInput(`ResourceArn: tags of a ${kind} are not supported by the local endpoint`)
}
