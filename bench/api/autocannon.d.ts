/** The part of autocannon 9 that the bench uses; the package has no types of its own. */
declare module 'autocannon' {
  interface AutocannonRequest {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string
  }
  interface AutocannonOptions {
    readonly url: string
    readonly connections: number
    /** In seconds. */
    readonly duration: number
    /** Requests per second of all connections; default: as many as there are answers. */
    readonly overallRate?: number
    readonly headers: Readonly<Record<string, string>>
    readonly requests: readonly { setupRequest(request: AutocannonRequest): AutocannonRequest }[]
  }
  interface AutocannonResult {
    readonly '2xx': number
    readonly non2xx: number
    readonly errors: number
    readonly timeouts: number
    /** In seconds. */
    readonly duration: number
    readonly latency: Readonly<Record<'p50' | 'p99', number>>
  }
  export default function autocannon(options: AutocannonOptions): Promise<AutocannonResult>
}
