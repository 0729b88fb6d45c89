import { readdirSync, readFileSync } from 'node:fs'
import MarkdownIt from 'markdown-it'

/** A guide of `docs/`, as it is written. */
export interface Guide {
  /** Of its file, without `.md`. */
  readonly name: string
  readonly title: string
  readonly text: string
}

/** The order in which they are read; others come after them. */
const ORDER = [
  'getting-started',
  'paging',
  'errors',
  'concurrency',
  'imports-and-exports',
  'personal-data',
  'rate-limits',
  'snapshots',
  'curated',
  'warehouse',
]

/**
 * For those who run the system, not for callers: what each role may do, and what it costs. In no image either (.dockerignore), so that
 * one is not made anew for them.
 */
export const NOT_SERVED: readonly string[] = ['roles', 'costs']

/** Guides never hold HTML of their own; what looks like it is shown as text. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })
const asText = markdown.utils.escapeHtml
// Links to a heading are written for the repository's own view: lower case, hyphens for spaces, nothing else but letters and digits.
markdown.renderer.rules.heading_open = (tokens, at, options, _env, renderer) => {
  const words = tokens[at + 1]?.content ?? ''
  tokens[at]?.attrSet(
    'id',
    words
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return renderer.renderToken(tokens, at, options)
}

/** Every Markdown file of the folder that is for callers. */
export function readGuides(folder: URL): Guide[] {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.slice(0, -'.md'.length))
    .filter((name) => !NOT_SERVED.includes(name))
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return names
    .sort((a, b) => place(a) - place(b))
    .map((name) => {
      const text = readFileSync(new URL(`${name}.md`, folder), 'utf8')
      return { name, title: titleOf(text), text }
    })
}

/** Of `# Title: what it says`, the first line of every guide, the title. */
function titleOf(text: string): string {
  return /^# ([^:\n]+)/m.exec(text)?.[1] ?? 'Guide'
}

/** Links to all of them. @param here the name of the one that is shown */
export function guideLinks(guides: readonly Guide[], here?: string): string {
  return guides
    .map(({ name, title }) => {
      const current = name === here ? ' aria-current="page"' : ''
      return `<a href="/docs/guides/${name}"${current}>${asText(title)}</a>`
    })
    .join('\n        ')
}

/** As HTML. */
export function guidePage(name: string, guides: readonly Guide[]): string {
  const { title = '', text = '' } = guides.find((guide) => guide.name === name) ?? {}
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${asText(title)} - RocketGames Accounts API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/page.css">
  </head>
  <body>
    <header class="lead">
      <p class="lead-name">RocketGames Accounts</p>
      <nav aria-label="Guides">
        <a href="/docs">All operations</a>
        ${guideLinks(guides, name)}
      </nav>
    </header>
    <main class="guide">
${bodyOf(text)}    </main>
  </body>
</html>
`
}

function bodyOf(text: string): string {
  return (
    markdown
      .render(text)
      // In the repository guides point at each other's files.
      .replaceAll(/href="(?:\.\/)?([a-z-]+)\.md(#[^"]*)?"/g, (link, name: string, part = '') =>
        NOT_SERVED.includes(name) ? link : `href="/docs/guides/${name}${part}"`,
      )
      // And at others there, which are not here.
      .replaceAll(/<a href="(?![/#]|https:)[^"]*">(.*?)<\/a>/g, '$1')
      // Markdown has no table without a head.
      .replaceAll(/<thead>\s*<tr>\s*(?:<th><\/th>\s*)+<\/tr>\s*<\/thead>\s*/g, '')
      .replaceAll('<table>', '<div class="table"><table>')
      .replaceAll('</table>', '</table></div>')
  )
}
