/** The last step of `npm run build`, into `dist` or the folder given: files that the compiler does not know, beside the modules that read them. */
import { cpSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const dist = path.resolve(root, process.argv[2] ?? 'dist')
for (const folder of ['lake/athena/queries', 'http/api-page/assets']) {
  cpSync(path.join(root, 'src', folder), path.join(dist, folder), { recursive: true })
}
