import { stripTypeScriptTypes } from 'node:module'
import type { Dataset } from '../../../src/lake/datasets.ts'
import type { Patch } from '../../../src/lake/snapshot/contract-patch.ts'

/** Pastes patches into the text of `datasets.ts`, as whoever reads them would: by place, without knowing what they mean. */
export function pasted(text: string, patches: readonly Patch[]): string {
  return patches.reduce(pastedOne, text)
}

function pastedOne(text: string, { entry, place, code }: Patch): string {
  const start = text.indexOf(`\n  ${entry}: {\n`) + 1
  const end = text.indexOf('\n  },\n', start) + 1
  if (start === 0 || end === 0) throw new Error(`no entry ${entry}`)
  const [head, body, tail] = [text.slice(0, start), text.slice(start, end), text.slice(end)]
  const inColumns = /^columns, (.*)$/.exec(place)
  if (!inColumns) return head + inMembers(body, '    ', place, code) + tail
  const from = body.indexOf('\n    columns: {\n') + 1
  const to = body.indexOf('\n    },\n', from) + 1
  return (
    head +
    body.slice(0, from) +
    inMembers(body.slice(from, to), '      ', inColumns[1] ?? '', code) +
    body.slice(to) +
    tail
  )
}

/** Members are told apart by their indentation, which the formatter makes. */
function inMembers(block: string, indent: string, place: string, code: string): string {
  const indented = code === '' ? '' : `${code.replaceAll(/^/gm, indent)}\n`
  if (place === 'at the end') return block + indented
  const name = place.replace(/^(in place of|remove) /, '')
  const from = block.search(new RegExp(`^${indent}${name}[:,]`, 'm'))
  if (from < 0) throw new Error(`no ${name}`)
  const next = block.slice(from + 1).search(new RegExp(`^${indent}[^\\s}\\]]`, 'm'))
  const to = next < 0 ? block.length : from + 1 + next
  return block.slice(0, from) + indented + block.slice(to)
}

/** What a text of `datasets.ts` exports. */
export async function datasetsOf(text: string): Promise<Readonly<Record<string, Dataset>>> {
  const code = Buffer.from(stripTypeScriptTypes(text)).toString('base64')
  const { datasets } = (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as {
    datasets: Readonly<Record<string, Dataset>>
  }
  return datasets
}
