import type { IdentityProvider } from './identity.ts'

/** One way to name a player. A key that is undefined was given in a form that no player can have. */
export type PlayerIdentifier =
  | { readonly by: 'id'; readonly id: string }
  | { readonly by: 'username'; readonly key: string }
  | { readonly by: 'email'; readonly key: string | undefined }
  | {
      readonly by: 'identity'
      readonly provider: IdentityProvider
      readonly namespace: string
      readonly subject: string
    }

export const MAX_LOOKUP_IDENTIFIERS = 100

/** The scope without which nobody may ask whether there is somebody with a name, an address or an account elsewhere. */
export const LOOKUP_SCOPE = 'players:read.personal'
