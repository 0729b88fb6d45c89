import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type NextFunction, type Request, type Response, Router } from 'express'
import { readGuides } from './guide-page.ts'

const ASSETS = fileURLToPath(new URL('assets/', import.meta.url))
/** The same place from `src` and from `dist`. */
const GUIDES = new URL('../../../docs/', import.meta.url)
const SWAGGER_UI = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

/** Everything that the page consists of, by the name below `/docs/`; nothing else of these folders is served. */
const FILES: Readonly<Record<string, string>> = {
  'start.js': ASSETS,
  'page.css': ASSETS,
  'swagger-ui-bundle.js': SWAGGER_UI,
  'swagger-ui.css': SWAGGER_UI,
  'favicon-32x32.png': SWAGGER_UI,
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

/** Same for everyone until the next release. */
const MAX_AGE_MS = 3_600_000

/**
 * The page to read and try the API on, `/docs`, and the guides below it. Needs no network but this service: all it consists of
 * comes from installed packages.
 */
export function apiPage(): Router {
  const guides = readGuides(GUIDES)
  const router = Router({ caseSensitive: true, strict: true })
  router.use(['/docs', '/docs/{*rest}'], (_request: Request, response: Response, next: NextFunction) => {
    response.set('Content-Security-Policy', POLICY)
    next()
  })
  router.get('/docs', (_request, response, next) => sendFile(response, ASSETS, 'index.html', next))
  router.get('/docs/', (_request, response) => response.redirect(308, '/docs'))
  router.get('/docs/guides/:name', (request, response, next) => {
    const page = guides.get(String(request.params.name))
    if (page === undefined) return next()
    response.set('Cache-Control', 'public, max-age=300').type('html').send(page)
  })
  router.get('/docs/:file', (request, response, next) => {
    const name = String(request.params.file)
    const folder = Object.hasOwn(FILES, name) ? FILES[name] : undefined
    if (folder === undefined) return next()
    sendFile(response, folder, name, next)
  })
  return router
}

function sendFile(response: Response, root: string, name: string, next: NextFunction): void {
  // Without this the header of API answers stays.
  response.removeHeader('Cache-Control')
  response.sendFile(name, { root, maxAge: MAX_AGE_MS, lastModified: true, etag: true }, (error) => {
    if (error) next(error)
  })
}
