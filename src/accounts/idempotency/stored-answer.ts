/** What a caller wants done at most once. The scope of a key is its caller: two callers may use the same text. */
export interface RepeatableRequest {
  readonly callerId: string
  readonly key: string
  /** SHA-256 of everything that makes the request the same one. */
  readonly fingerprint: Buffer
}

/** An answer as it goes over the wire, without the headers that every answer has. */
export interface StoredAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Null: an answer without body. */
  readonly body: Buffer | null
}

/** The same for every repeat of one request while its key is kept, and for no other request. */
export interface Repeat {
  /** 64 hexadecimal digits. */
  readonly token: string
  /** When the key was first seen. */
  readonly since: Date
}

/** The right to act for a key, for a while. */
export interface Claim extends RepeatableRequest {
  /** Different in each claim of a key: the fence. A holder whose fence is no longer in the row has lost the right. */
  readonly lockedUntil: Date
  readonly firstSeenAt: Date
}

/** Beyond this an operation has no place here: it refuses the header. */
export const MAX_STORED_BODY_BYTES = 1024 * 1024
