/** What a page about a kind of problem says. */
export interface ProblemPage {
  readonly type: string
  readonly code: string
  readonly title: string
  readonly status: number
  readonly cause: string
  readonly advice: string
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** For people who follow a link in a browser: plain HTML, since the security policy lets no style or script in. */
export function problemPage({ type, code, title, status, cause, advice }: ProblemPage): string {
  const text = (value: string) => value.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${text(code)}: ${text(title)}</title></head>
<body>
<h1>${text(title)}</h1>
<p>Code <code>${text(code)}</code>, HTTP status ${status}, type <code>${text(type)}</code></p>
<h2>Cause</h2>
<p>${text(cause)}</p>
<h2>Remedy</h2>
<p>${text(advice)}</p>
</body>
</html>
`
}
