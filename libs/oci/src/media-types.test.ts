import { expect, test } from '@jest/globals';
import { isManifestMediaType, mediaTypeOf, OCI_ARTIFACT_MANIFEST, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST } from './media-types.js';

test('a media type is compared without case and parameters', () => {
  expect(mediaTypeOf(' Application/JSON ; charset=utf-8')).toBe('application/json');
  expect(mediaTypeOf('a/b')).toBe('a/b');
  expect(mediaTypeOf('')).toBe('');
});

test('an index entry is a manifest or a blob by its media type', () => {
  expect([OCI_IMAGE_MANIFEST, OCI_IMAGE_INDEX, OCI_ARTIFACT_MANIFEST].every(isManifestMediaType)).toBe(true);
  expect(isManifestMediaType(OCI_IMAGE_CONFIG)).toBe(false);
  expect(isManifestMediaType('application/vnd.buildkit.cacheconfig.v0')).toBe(false);
  expect(isManifestMediaType('application/vnd.oci.image.layer.v1.tar+gzip')).toBe(false);
});
