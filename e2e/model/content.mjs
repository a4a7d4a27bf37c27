import { blobOf, descriptor, imageOf, indexOf } from '../image/synthetic.mjs';

const LAYERS = 12;
const IMAGES = 12;
const INDEXES = 4;
const SIGNATURES = 5;
const SIGNATURE_TYPE = 'application/vnd.cncf.notary.signature';

/**
 * Everything that is ever pushed: few things, so that they are pushed, mounted, deleted and pushed again all the time.
 * An item is a manifest: { digest, size, bytes, mediaType, blobs, children, subject? }.
 */
export function contentPool(random) {
  const layers = Array.from({ length: LAYERS }, () => blobOf(random.bytes(random.whole(200, 20_000))));
  const images = Array.from({ length: IMAGES }, (_, index) => itemOf(imageOf(random.some(layers, random.whole(1, 3)), { architecture: `model-${index}` })));
  const indexes = Array.from({ length: INDEXES }, () => indexItem(random.some(images, 2)));
  const signatures = Array.from({ length: SIGNATURES }, (_, index) => signatureOf(random.pick([...images, ...indexes]), random.pick(layers), index));
  return { images, indexes, signatures };
}

function itemOf(image) {
  return { digest: image.digest, size: image.size, bytes: image.bytes, mediaType: image.mediaType, blobs: uniqueBlobs(image.blobs), children: [] };
}

function indexItem(images) {
  const index = indexOf(images);
  return { digest: index.digest, size: index.size, bytes: index.bytes, mediaType: index.mediaType, blobs: [], children: images };
}

function signatureOf(subject, layer, number) {
  const image = imageOf([layer], { architecture: `signature-${number}`, subject: descriptor(subject, subject.mediaType), artifactType: SIGNATURE_TYPE });
  return { ...itemOf(image), subject: subject.digest };
}

function uniqueBlobs(blobs) {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
