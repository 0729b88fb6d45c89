import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type NextFunction, type Request, type Response, Router } from 'express'
import { guideLinks, guidePage, readGuides } from './guide-page.ts'
import { PageFile } from './page-file.ts'

const ASSETS = fileURLToPath(new URL('assets/', import.meta.url))
/** The same place from `src` and from `dist`. */
const GUIDES = new URL('../../../docs/', import.meta.url)
const SWAGGER_UI = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

/** Everything that the page consists of, by the name below `/docs/`; nothing else of these folders is served. */
const FILES: Readonly<Record<string, readonly [folder: string, type: string]>> = {
  'start.js': [ASSETS, SCRIPT],
  'page.css': [ASSETS, STYLE],
  'swagger-ui-bundle.js': [SWAGGER_UI, SCRIPT],
  'swagger-ui.css': [SWAGGER_UI, STYLE],
  'favicon-32x32.png': [SWAGGER_UI, 'image/png'],
}

/** Scripts and styles from here only, none inline; requests to this service only. Swagger UI's icons are data URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Same for everyone until the next release; a release of its texts shows sooner. */
const MAX_AGE_SECONDS = 3600
const PAGE_MAX_AGE_SECONDS = 300

/**
 * The page to read and try the API on, `/docs`, and the guides below it. Needs no network but this service: all it consists of
 * comes from installed packages.
 */
export function apiPage(): Router {
  const guides = readGuides(GUIDES)
  const index = readFileSync(path.join(ASSETS, 'index.html'), 'utf8').replace('<!-- guides -->', guideLinks(guides))
  const files = new Map(
    Object.entries(FILES).map(([name, [folder, type]]) => {
      return [`/docs/${name}`, new PageFile(readFileSync(path.join(folder, name)), type, MAX_AGE_SECONDS)]
    }),
  )
  files.set('/docs', new PageFile(index, HTML, PAGE_MAX_AGE_SECONDS))
  for (const { name } of guides) {
    files.set(`/docs/guides/${name}`, new PageFile(guidePage(name, guides), HTML, PAGE_MAX_AGE_SECONDS))
  }
  const router = Router({ caseSensitive: true, strict: true })
  router.use(['/docs', '/docs/{*rest}'], (_request: Request, response: Response, next: NextFunction) => {
    response.set('Content-Security-Policy', POLICY)
    next()
  })
  router.get('/docs/', (_request, response) => response.redirect(308, '/docs'))
  router.get(['/docs', '/docs/{*rest}'], async (request, response, next) => {
    const file = files.get(request.path)
    if (file === undefined) next()
    else await file.send(request, response)
  })
  return router
}
