import { ACCOUNT_ID } from './account-id.ts'
import { AwsError, type RequestContext } from './ports.ts'
import { element, xmlDocument } from './xml-writer.ts'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

/**
 * STS, query protocol: form body in, XML out. `GetCallerIdentity` only.
 *
 * @throws AwsError `InvalidAction` naming any other action.
 */
export function answerSts(form: string, context: RequestContext): string {
  const action = new URLSearchParams(form).get('Action') ?? ''
  if (action !== 'GetCallerIdentity') {
    throw new AwsError('InvalidAction', `STS offers GetCallerIdentity here; the action was ${action || 'missing'}.`)
  }
  return xmlDocument(
    element(
      'GetCallerIdentityResponse',
      element(
        'GetCallerIdentityResult',
        element('Arn', `arn:aws:iam::${ACCOUNT_ID}:user/local`),
        element('UserId', context.accessKeyId),
        element('Account', ACCOUNT_ID),
      ),
      element('ResponseMetadata', element('RequestId', context.requestId)),
    ),
    NAMESPACE,
  )
}

/** An error of the query protocol. */
export function queryError(error: AwsError, requestId: string): string {
  return xmlDocument(
    element(
      'ErrorResponse',
      element(
        'Error',
        element('Type', error.status < 500 ? 'Sender' : 'Receiver'),
        element('Code', error.code),
        element('Message', error.message),
      ),
      element('RequestId', requestId),
    ),
    NAMESPACE,
  )
}
