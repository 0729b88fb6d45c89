import { ACCOUNT_ID } from '../account-id.ts'
import { element, type XmlElement, xmlDocument } from '../xml-writer.ts'
import { readText } from './body-plan.ts'
import { owner } from './list-objects.ts'
import type { S3ObjectStore } from './object-store.ts'
import type { S3Answer, S3Call } from './s3-call.ts'
import { type S3ErrorCode, s3Error } from './s3-error.ts'
import { MAX_BUCKET_TAGS, MAX_OBJECT_TAGS, readTagging, type Tags, writeTagging } from './tagging.ts'
import { childElements, readXml, S3_NAMESPACE } from './xml-reader.ts'

const xml = (root: XmlElement): S3Answer => ({ status: 200, xml: xmlDocument(root, S3_NAMESPACE) })

/** The one account has full control, of buckets and objects alike. */
export function getAcl(store: S3ObjectStore, call: S3Call): S3Answer {
  if (call.key === '') store.bucket(call.bucket)
  else store.object(call.bucket, call.key)
  const document = xmlDocument(
    element(
      'AccessControlPolicy',
      owner(),
      element(
        'AccessControlList',
        element('Grant', element('Grantee', GRANTEE), element('Permission', 'FULL_CONTROL')),
      ),
    ),
    S3_NAMESPACE,
  )
  // the one place where S3 uses attributes
  const grantee = '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
  return { status: 200, xml: document.replace('<Grantee>', grantee) }
}

const GRANTEE = [element('ID', ACCOUNT_ID), element('DisplayName', 'local')]

/** Versioning was never on. */
export function getBucketVersioning(store: S3ObjectStore, call: S3Call): S3Answer {
  store.bucket(call.bucket)
  return xml(element('VersioningConfiguration'))
}

/** A setting that is never there: AWS's code for that. */
export function absent(code: S3ErrorCode): (store: S3ObjectStore, call: S3Call) => S3Answer {
  return (store, call) => {
    store.bucket(call.bucket)
    throw s3Error(code, undefined, { BucketName: call.bucket })
  }
}

export function getLifecycle(store: S3ObjectStore, call: S3Call): S3Answer {
  const { lifecycle } = store.bucket(call.bucket)
  if (lifecycle === null) throw s3Error('NoSuchLifecycleConfiguration', undefined, { BucketName: call.bucket })
  return { status: 200, xml: lifecycle }
}

export async function putLifecycle(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  store.bucket(call.bucket)
  const text = await readText(call, { hashRequired: true })
  if (childElements(readXml(text, 'LifecycleConfiguration'), 'Rule').length === 0) {
    throw s3Error('MalformedXML', 'A lifecycle configuration needs at least one Rule.')
  }
  await store.index.transact(() => store.buckets.set(store.bucket(call.bucket).name, 'lifecycle', text))
  return { status: 200 }
}

export async function deleteLifecycle(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  await store.index.transact(() => store.buckets.set(store.bucket(call.bucket).name, 'lifecycle', null))
  return { status: 204 }
}

export function getBucketTagging(store: S3ObjectStore, call: S3Call): S3Answer {
  const { tagging } = store.bucket(call.bucket)
  if (tagging === null) throw s3Error('NoSuchTagSet', undefined, { BucketName: call.bucket })
  return { status: 200, xml: writeTagging(JSON.parse(tagging) as Tags) }
}

export async function putBucketTagging(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  store.bucket(call.bucket)
  const tags = readTagging(await readText(call, { hashRequired: true }), MAX_BUCKET_TAGS)
  await store.index.transact(() => store.buckets.set(store.bucket(call.bucket).name, 'tagging', JSON.stringify(tags)))
  return { status: 204 }
}

export async function deleteBucketTagging(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  await store.index.transact(() => store.buckets.set(store.bucket(call.bucket).name, 'tagging', null))
  return { status: 204 }
}

export function getObjectTagging(store: S3ObjectStore, call: S3Call): S3Answer {
  return { status: 200, xml: writeTagging(store.object(call.bucket, call.key).details.tags) }
}

async function setObjectTags(store: S3ObjectStore, call: S3Call, tags: Tags): Promise<void> {
  await store.index.transact(() => {
    const record = store.object(call.bucket, call.key)
    store.objects.setDetails(record, { ...record.details, tags })
  })
}

export async function putObjectTagging(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  store.object(call.bucket, call.key)
  const tags = readTagging(await readText(call, { hashRequired: true }), MAX_OBJECT_TAGS)
  await setObjectTags(store, call, tags)
  return { status: 200 }
}

export async function deleteObjectTagging(store: S3ObjectStore, call: S3Call): Promise<S3Answer> {
  await setObjectTags(store, call, {})
  return { status: 204 }
}
