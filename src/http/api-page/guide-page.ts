import { readdirSync, readFileSync } from 'node:fs'
import MarkdownIt from 'markdown-it'

/** Guides by name, as HTML pages. */
export type Guides = ReadonlyMap<string, string>

/** Guides never hold HTML of their own; what looks like it is shown as text. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })

/** Renders every Markdown file of the folder, once. */
export function readGuides(folder: URL): Guides {
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'))
  return new Map(
    files.map((file) => {
      const name = file.slice(0, -'.md'.length)
      return [name, pageOf(readFileSync(new URL(file, folder), 'utf8'))]
    }),
  )
}

/** Of `# Title`, the first line of every guide. */
function titleOf(text: string): string {
  return /^# (.+)$/m.exec(text)?.[1] ?? 'Guide'
}

function pageOf(text: string): string {
  // In the repository guides point at each other's files.
  const body = markdown.render(text).replaceAll(/href="(?:\.\/)?([a-z-]+)\.md(#[^"]*)?"/g, 'href="/docs/guides/$1$2"')
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${markdown.utils.escapeHtml(titleOf(text))} - RocketGames Accounts API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/page.css">
  </head>
  <body>
    <header class="lead">
      <p class="lead-name">RocketGames Accounts</p>
      <nav><a href="/docs">All operations</a></nav>
    </header>
    <main class="guide">
${body}    </main>
  </body>
</html>
`
}
