import type { paths } from './generated-api.ts'
import type { Call, DataOf, InitArgument, InitOf, PathOf } from './typed-call.ts'

interface AnyPage {
  readonly data: readonly unknown[]
  readonly page: { readonly next: string | null }
}

/** Paths of lists that have pages. */
export type ListPath = {
  [P in PathOf<'get'>]: DataOf<P, 'get' & keyof paths[P]> extends AnyPage ? P : never
}[PathOf<'get'>]

export type PageOf<P extends ListPath> = DataOf<P, 'get'>
export type RowOf<P extends ListPath> = PageOf<P> extends { data: (infer Row)[] } ? Row : never

type AnyGet = (path: string, init: object) => Promise<{ data: AnyPage }>

/** Follows `page.next` to the last page. */
export async function* pagesOf<P extends ListPath>(
  get: Call<'get'>,
  path: P,
  ...[init]: InitArgument<InitOf<P, 'get'>>
): AsyncGenerator<PageOf<P>> {
  const given = (init ?? {}) as { params?: { query?: object } }
  let cursor: string | undefined
  do {
    const query = { ...given.params?.query, ...(cursor === undefined ? {} : { cursor }) }
    const { data } = await (get as unknown as AnyGet)(path, { ...given, params: { ...given.params, query } })
    yield data as PageOf<P>
    cursor = data.page.next ?? undefined
  } while (cursor !== undefined)
}

/** The rows of all pages. */
export async function* rowsOf<P extends ListPath>(
  get: Call<'get'>,
  path: P,
  ...init: InitArgument<InitOf<P, 'get'>>
): AsyncGenerator<RowOf<P>> {
  for await (const page of pagesOf(get, path, ...init)) yield* (page as { data: RowOf<P>[] }).data
}
