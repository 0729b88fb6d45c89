/** What the streams need to make a request of their own. */
export interface Connection {
  readonly baseUrl: string
  readonly apiKey: string
  readonly send: (request: Request) => Promise<Response>
  readonly sendOnce: (request: Request) => Promise<Response>
}
