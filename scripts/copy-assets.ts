/** The last step of `npm run build`: files that the compiler does not know, beside the modules that read them. */
import { cpSync } from 'node:fs'

const root = new URL('../', import.meta.url)
for (const folder of ['lake/athena/queries', 'http/api-page/assets']) {
  cpSync(new URL(`src/${folder}`, root), new URL(`dist/${folder}`, root), { recursive: true })
}
