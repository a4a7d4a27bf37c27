import { describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_MANIFEST, parseManifest, type Manifest } from '@haven/oci';
import { layerOfFile, modelFilesOf } from './model-files.js';

function model(...layers: readonly (readonly [path: string | undefined, size: number, metadata?: string])[]): Manifest {
  const document = {
    schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, artifactType: 'application/vnd.cncf.model.manifest.v1+json',
    config: { mediaType: 'application/vnd.cncf.model.config.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: layers.map(([path, size, metadata]) => ({
      mediaType: 'application/vnd.cncf.model.weight.v1.raw', digest: digestOf(Buffer.from(`${path}`)), size,
      annotations: { ...(path === undefined ? {} : { 'org.cncf.model.filepath': path }), ...(metadata === undefined ? {} : { 'org.cncf.model.file.metadata+json': metadata }) },
    })),
  };
  return parseManifest(Buffer.from(JSON.stringify(document)), undefined);
}

describe('modelFilesOf', () => {
  test('is a tree with sizes', () => {
    expect(modelFilesOf(model(['README.md', 10], ['weights/b.bin', 100], ['weights/a.bin', 50, '{"size":7}'], ['./config.json', 3, 'odd'], [undefined, 9]))).toEqual([
      { name: 'README.md', type: 'file', size: 10 },
      { name: 'config.json', type: 'file', size: 3 },
      { name: 'weights', type: 'directory', size: 107, children: [{ name: 'a.bin', type: 'file', size: 7 }, { name: 'b.bin', type: 'file', size: 100 }] },
    ]);
  });

  test('leaves out paths that lead out of it or down without end', () => {
    expect(modelFilesOf(model(['../x', 1], ['a/../../x', 1], ['..', 1], ['/', 1], ['a/'.repeat(100), 1], ['__proto__/x', 1]))).toEqual([
      { name: '__proto__', type: 'directory', size: 1, children: [{ name: 'x', type: 'file', size: 1 }] },
    ]);
  });
});

test('layerOfFile', () => {
  const manifest = model(['weights/README.md', 1], ['Readme.MD', 2], ['license', 3]);
  expect(layerOfFile(manifest, ['readme.md'])?.size).toBe(2);
  expect(layerOfFile(manifest, ['license', 'license.txt'])?.size).toBe(3);
  expect(layerOfFile(manifest, ['other'])).toBeUndefined();
});
