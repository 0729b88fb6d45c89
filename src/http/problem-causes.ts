import type { ErrorCode } from '../errors.ts'

/** How each problem comes about, for people who meet it for the first time; the remedy beside it is in `problems.ts`. */
export const CAUSES: Readonly<Record<ErrorCode, string>> = {
  'malformed-json': 'The body of the request, or one line of it, could not be read as one JSON value in UTF-8.',
  'malformed-input': 'The request ended too early, came too slowly or was damaged on the way, so it could not be read.',
  'unknown-parameter':
    'The query has a parameter that the operation does not have, or the same one twice. It would have been ignored elsewhere.',
  'invalid-parameter': 'A parameter of the query has a value of the wrong form, out of its range or not in its list.',
  'invalid-cursor':
    'The cursor was changed, is of another version of the service, or is used with another filter, sort, path or key than the ' +
    'one it was made for.',
  'malformed-header': 'A header has a form that is not allowed here, or is not taken by this operation.',
  unauthenticated: 'There is no Authorization header, or the key in it is unknown, wrong, expired or revoked.',
  forbidden:
    'The key is valid but does not have the scope that the operation, or the field that was asked about, needs.',
  'not-found':
    'Nothing has this address: the record was never there, an id or name in the address has another form, or the path is wrong.',
  'method-not-allowed': 'The address exists, but not with this method. Records are not deleted, for example.',
  'not-acceptable': 'The Accept header names only media types that the operation cannot produce.',
  'payload-too-large': 'The body, decompressed, is larger than the operation takes.',
  'uri-too-long': 'The address with its query is longer than 8 KB.',
  'unsupported-media-type':
    'The Content-Type or Content-Encoding is not one that the operation takes, or it takes no body at all.',
  conflict: 'Another record, or the state of this one, stands against the change. detail says which.',
  'username-taken':
    'Another player has this name, perhaps in other letter case or Unicode form: they would be taken for each other.',
  'email-taken': 'Another record of the same kind has this address, perhaps in other letter case.',
  'identity-taken': 'This account of the provider is linked to a player already. It leads to one player only.',
  'slug-taken': 'Another studio or game has this slug. Slugs are part of addresses and unique.',
  'last-owner': 'The change would leave an active or suspended studio without an active owner.',
  'last-identity': 'The change would take the last thing that leads to a player: the address, or an account elsewhere.',
  'in-use': 'Other records refer to the one that was to be removed.',
  'invalid-transition': 'The lifecycle has no step from the present state to the one that was asked for.',
  'idempotency-in-progress': 'A request with the same Idempotency-Key has begun and not ended yet.',
  'snapshot-running': 'Snapshots are taken one after the other, and one is being taken.',
  'version-mismatch':
    'The record is not in the state that If-Match or If-None-Match asks for: somebody has changed or made it meanwhile.',
  'precondition-required': 'The operation overwrites something and needs to know which state the caller has seen.',
  validation:
    'The request was understood, but a field is missing, unknown, or has a value that its rule does not allow.',
  'transition-blocked': 'The lifecycle has this step, but something that it needs is not there yet.',
  'idempotency-mismatch': 'The Idempotency-Key was used before with another body, address or If-Match.',
  'query-not-allowed': 'The SQL is not one statement that reads, or uses what may not be used here.',
  'budget-exceeded':
    'The query was stopped because it would have read more bytes than the work group allows, or the export because it took an hour.',
  'answer-too-large':
    'The service runs as a function here, whose answers may have 6 MB as they are passed on; those of a server have no such limit.',
  'duplicate-in-input': 'An earlier line of the same input has the same key: which of the two counts would be chance.',
  'not-applied': 'The line itself may be right, but the import is all or nothing, and another line was refused.',
  'quota-exceeded': 'The key has sent more requests than its quota allows in the present window.',
  internal: 'Something happened that the service does not expect. Its log has the whole story under the requestId.',
  unavailable:
    'The database or another service behind this one does not answer now, is overloaded, or the service is stopping.',
}
