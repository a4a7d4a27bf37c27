import { describe, expect, test } from '@jest/globals';
import { isForeignLayer } from './descriptor.js';
import { digestOf } from './digest.js';
import { OciError } from './errors.js';
import { parseManifest, referrerArtifactType, type Manifest } from './manifest.js';
import {
  DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, MAX_MANIFEST_BYTES, OCI_ARTIFACT_MANIFEST, OCI_EMPTY, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST,
} from './media-types.js';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const config = { mediaType: OCI_IMAGE_CONFIG, digest: digestOf('config'), size: 6 };
const layer = { mediaType: LAYER, digest: digestOf('layer'), size: 5 };
const child = { mediaType: OCI_IMAGE_MANIFEST, digest: digestOf('child'), size: 5 };
const image = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [child] };

function parse(body: unknown, contentType?: string): Manifest {
  return parseManifest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), contentType);
}

function failureOf(body: unknown, contentType?: string): OciError | undefined {
  try {
    parse(body, contentType);
    return undefined;
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
}

describe('images', () => {
  test('an OCI image', () => {
    expect(parse(image, OCI_IMAGE_MANIFEST)).toEqual({ kind: 'image', mediaType: OCI_IMAGE_MANIFEST, config, layers: [layer], children: [] });
  });

  test('a Docker image, with parameters in its Content-Type', () => {
    expect(parse({ ...image, mediaType: DOCKER_MANIFEST }, `${DOCKER_MANIFEST}; charset=utf-8`)).toMatchObject({ kind: 'image', mediaType: DOCKER_MANIFEST });
  });

  test('neither the body nor the client need say the type', () => {
    const { mediaType: _, ...untyped } = image;
    expect(parse(untyped, OCI_IMAGE_MANIFEST).mediaType).toBe(OCI_IMAGE_MANIFEST);
    expect(parse(image).mediaType).toBe(OCI_IMAGE_MANIFEST);
    expect(parse(untyped).kind).toBe('image');
    expect(parse({ ...untyped, mediaType: '' }, '').kind).toBe('image');
  });

  test('J-07: an artifact with an empty config, a type, a subject, annotations and fields of its own', () => {
    const empty = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2, data: 'e30=' };
    const manifest = parse(
      `{"schemaVersion":2,"artifactType":"application/vnd.example+type","config":${JSON.stringify(empty)},"layers":[],"subject":${JSON.stringify(child)},` +
        `"annotations":{"org.example":"ü","__proto__":"x","Org.Example":""},"org.example.custom":{"deep":[1e999,null]}}`,
      OCI_IMAGE_MANIFEST,
    );
    expect(manifest).toMatchObject({ artifactType: 'application/vnd.example+type', layers: [], subject: child });
    expect(Object.entries(manifest.annotations ?? {})).toEqual([['org.example', 'ü'], ['__proto__', 'x'], ['Org.Example', '']]);
    expect(manifest.config).toEqual({ mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 });
  });

  test('null is absent, as Go writes it', () => {
    expect(parse({ ...image, layers: null, manifests: null, subject: null, annotations: null, artifactType: null }, OCI_IMAGE_MANIFEST)).toMatchObject({ kind: 'image', layers: [] });
  });

  test('sha512, foreign layers, layers equal to the config', () => {
    const foreign = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: digestOf('f', 'sha512'), size: 0, urls: ['https://example.com/f'] };
    const { layers } = parse({ ...image, layers: [foreign, config, layer] }, OCI_IMAGE_MANIFEST);
    expect(layers.map(isForeignLayer)).toEqual([true, false, false]);
    expect(layers[0]).toEqual(foreign);
    expect(isForeignLayer({ ...layer, digest: digestOf('x'), urls: [] })).toBe(false);
    expect(isForeignLayer({ ...layer, digest: digestOf('x'), mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd' })).toBe(true);
  });

  test('the greatest size, and whole numbers however they are written', () => {
    const text = JSON.stringify(image).replace('"size":5', '"size":9007199254740991').replace('"size":6', '"size":-0.0e1');
    expect(parse(text, OCI_IMAGE_MANIFEST)).toMatchObject({ config: { size: 0 }, layers: [{ size: Number.MAX_SAFE_INTEGER }] });
    expect(Object.is(parse(text, OCI_IMAGE_MANIFEST).config?.size, 0)).toBe(true);
  });

  test.each(['-1', '-0.5', '1.5', '1e18', '1e999', '9007199254740992', '9007199254740993', '"5"', 'null', 'true', '[5]', '{}', '1e-1'])('J-05: refuses the size %s', (size) => {
    const text = JSON.stringify(image).replace('"size":5', `"size":${size}`);
    expect(failureOf(text, OCI_IMAGE_MANIFEST)).toMatchObject({ code: 'MANIFEST_INVALID', status: 400, message: expect.stringContaining('layers[0].size') });
  });

  test.each([
    ['no digest', { ...layer, digest: undefined }], ['a bad digest', { ...layer, digest: 'sha256:../../etc/passwd' }], ['upper-case hex', { ...layer, digest: layer.digest.toUpperCase() }],
    ['no media type', { ...layer, mediaType: undefined }], ['an overlong media type', { ...layer, mediaType: `a/${'b'.repeat(300)}` }], ['no size', { ...layer, size: undefined }], ['urls that are no list', { ...layer, urls: 'x' }],
    ['urls of numbers', { ...layer, urls: [1] }], ['annotations that are a list', { ...layer, annotations: [] }], ['annotations of numbers', { ...layer, annotations: { a: 1 } }],
    ['null', null], ['a list', [layer]], ['a text', layer.digest], ['a look-alike', { ...layer, Digest: digestOf('other') }], ['a look-alike by folding', { ...layer, '\u017fize': 1 }],
  ])('refuses a descriptor with %s', (_what, bad) => {
    expect(failureOf({ ...image, layers: [layer, bad] }, OCI_IMAGE_MANIFEST)).toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringContaining('layers[1]') });
    expect(failureOf({ ...image, config: bad }, OCI_IMAGE_MANIFEST)?.code).toBe('MANIFEST_INVALID');
    expect(failureOf({ ...index, manifests: [bad] }, OCI_IMAGE_INDEX)?.code).toBe('MANIFEST_INVALID');
  });

  test('as many layers as fit are read in little time', () => {
    const many = Array.from({ length: 27_000 }, () => layer);
    const text = JSON.stringify({ ...image, layers: many });
    expect(fastest(() => expect(parse(text, OCI_IMAGE_MANIFEST).layers).toHaveLength(27_000))).toBeLessThan(1500);
  });
});

describe('indexes', () => {
  test('children of any media type, with their platforms', () => {
    const platform = { 'architecture': 'arm64', 'os': 'linux', 'variant': 'v8', 'os.version': '1', 'os.features': ['x'] };
    const cache = { mediaType: 'application/vnd.buildkit.cacheconfig.v0', digest: digestOf('cache'), size: 9, annotations: { a: 'b' } };
    expect(parse({ ...index, manifests: [{ ...child, platform, artifactType: 'a/b' }, cache, layer] }, OCI_IMAGE_INDEX)).toEqual({
      kind: 'index', mediaType: OCI_IMAGE_INDEX, layers: [],
      children: [{ ...child, artifactType: 'a/b', platform: { architecture: 'arm64', os: 'linux', variant: 'v8', osVersion: '1', osFeatures: ['x'] } }, cache, layer],
    });
  });

  test('empty, nested, about a subject, Docker\'s list, and typed by its shape', () => {
    expect(parse({ ...index, manifests: [] }, OCI_IMAGE_INDEX).children).toEqual([]);
    expect(parse({ ...index, manifests: null }, OCI_IMAGE_INDEX).children).toEqual([]);
    expect(parse({ ...index, subject: child, artifactType: 'a/b' }, OCI_IMAGE_INDEX)).toMatchObject({ subject: child, artifactType: 'a/b' });
    expect(parse({ ...index, mediaType: DOCKER_MANIFEST_LIST }, DOCKER_MANIFEST_LIST).kind).toBe('index');
    expect(parse({ schemaVersion: 2, manifests: [{ ...child, mediaType: OCI_IMAGE_INDEX }] })).toMatchObject({ kind: 'index', mediaType: OCI_IMAGE_INDEX });
  });

  test('an index without a list is none', () => {
    expect(failureOf({ schemaVersion: 2 }, OCI_IMAGE_INDEX)?.code).toBe('MANIFEST_INVALID');
    expect(failureOf({ ...index, manifests: {} }, OCI_IMAGE_INDEX)?.code).toBe('MANIFEST_INVALID');
    expect(failureOf({ ...index, manifests: [{ ...child, platform: 'linux' }] }, OCI_IMAGE_INDEX)?.code).toBe('MANIFEST_INVALID');
  });
});

describe('contradictions', () => {
  test.each([
    ['Content-Type index, body image', image, OCI_IMAGE_INDEX],
    ['Content-Type image, body index', index, OCI_IMAGE_MANIFEST],
    ['Content-Type Docker, body OCI', image, DOCKER_MANIFEST],
    ['Content-Type unknown, body OCI', image, 'application/vnd.example+json'],
    ['Content-Type JSON, body OCI', image, 'application/json'],
    ['an image with manifests', { ...image, manifests: [] }, OCI_IMAGE_MANIFEST],
    ['an index with layers', { ...index, layers: [] }, OCI_IMAGE_INDEX],
    ['an index with a config', { ...index, config }, OCI_IMAGE_INDEX],
    ['untyped and both', { schemaVersion: 2, config, layers: [], manifests: [] }, undefined],
    ['no config', { ...image, config: undefined }, OCI_IMAGE_MANIFEST],
    ['config null', { ...image, config: null }, OCI_IMAGE_MANIFEST],
    ['no schema version', { ...image, schemaVersion: undefined }, OCI_IMAGE_MANIFEST],
    ['schema version 3', { ...image, schemaVersion: 3 }, OCI_IMAGE_MANIFEST],
    ['schema version as text', { ...image, schemaVersion: '2' }, OCI_IMAGE_MANIFEST],
    ['Layers for layers', { ...image, Layers: [child] }, OCI_IMAGE_MANIFEST],
    ['manife\u017fts for manifests', { ...image, 'manife\u017fts': [child] }, OCI_IMAGE_MANIFEST],
    ['mediaType as number', { ...image, mediaType: 1 }, OCI_IMAGE_MANIFEST],
    ['layers as object', { ...image, layers: { 0: layer } }, OCI_IMAGE_MANIFEST],
    ['annotations as text', { ...image, annotations: 'x' }, OCI_IMAGE_MANIFEST],
    ['subject as digest', { ...image, subject: child.digest }, OCI_IMAGE_MANIFEST],
    ['a Content-Type that is none', image, 'text/html, application/json'],
    ['nothing that tells what it is', { schemaVersion: 2 }, undefined],
    ['a list', [], OCI_IMAGE_MANIFEST],
    ['null', null, OCI_IMAGE_MANIFEST],
    ['no JSON', 'hello', OCI_IMAGE_MANIFEST],
    ['nothing', '', undefined],
    ['no JSON under any +json', 'hello', 'application/vnd.example+json'],
    ['a key twice', JSON.stringify(image).replace('{', '{"layers":[],'), OCI_IMAGE_MANIFEST],
    ['a key twice under any +json', '{"a":1,"a":2}', 'application/vnd.example+json'],
    ['200,000 nested arrays', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, OCI_IMAGE_MANIFEST],
    ['a byte order mark', `\ufeff${JSON.stringify(image)}`, OCI_IMAGE_MANIFEST],
  ])('refuses %s', (_what, body, contentType) => {
    expect(failureOf(body, contentType)).toMatchObject({ code: 'MANIFEST_INVALID', status: 400 });
  });

  test('refuses more than 4 MiB before reading it', () => {
    expect(failureOf(' '.repeat(MAX_MANIFEST_BYTES + 1), OCI_IMAGE_MANIFEST)).toMatchObject({ code: 'REQUEST_ENTITY_TOO_LARGE', status: 413 });
    expect(failureOf(' '.repeat(MAX_MANIFEST_BYTES), OCI_IMAGE_MANIFEST)?.code).toBe('MANIFEST_INVALID');
  });

  test.each([
    [{ schemaVersion: 1, fsLayers: [] }, DOCKER_SCHEMA1], [{ schemaVersion: 1, fsLayers: [] }, DOCKER_SCHEMA1_SIGNED], [{ schemaVersion: 1, fsLayers: [] }, undefined],
    [{ schemaVersion: 1 }, DOCKER_MANIFEST], [{ schemaVersion: 1, mediaType: DOCKER_SCHEMA1 }, undefined], ['no JSON at all', DOCKER_SCHEMA1_SIGNED],
    [{ schemaVersion: 1, fsLayers: [], history: [] }, 'application/json'],
  ])('refuses schema 1: %j as %s', (body, contentType) => {
    expect(failureOf(body, contentType)).toMatchObject({ code: 'UNSUPPORTED', status: 415, message: expect.stringContaining('schema 1') });
  });
});

describe('other content', () => {
  test('an artifact manifest shows its blobs and its subject', () => {
    expect(parse({ mediaType: OCI_ARTIFACT_MANIFEST, artifactType: 'a/b', blobs: [layer], subject: child, annotations: { a: 'b' } }, OCI_ARTIFACT_MANIFEST)).toEqual({
      kind: 'other', mediaType: OCI_ARTIFACT_MANIFEST, artifactType: 'a/b', layers: [layer], children: [], subject: child, annotations: { a: 'b' },
    });
    expect(failureOf({ blobs: [{}] }, OCI_ARTIFACT_MANIFEST)?.code).toBe('MANIFEST_INVALID');
  });

  test('unknown types are kept, JSON or not', () => {
    expect(parse({ anything: [1], subject: 'not ours to read' }, 'application/vnd.example.v9+json')).toEqual({ kind: 'other', mediaType: 'application/vnd.example.v9+json', layers: [], children: [] });
    expect(parse('\0\u0001binary', 'application/vnd.wasm.config')).toEqual({ kind: 'other', mediaType: 'application/vnd.wasm.config', layers: [], children: [] });
  });
});

test('a referrer is listed by its artifact type, else by its config', () => {
  expect(referrerArtifactType(parse({ ...image, artifactType: 'a/b' }, OCI_IMAGE_MANIFEST))).toBe('a/b');
  expect(referrerArtifactType(parse(image, OCI_IMAGE_MANIFEST))).toBe(OCI_IMAGE_CONFIG);
  expect(referrerArtifactType(parse(index, OCI_IMAGE_INDEX))).toBeUndefined();
});

// Reading never changes the bytes; the digest is of what came.
test('J-04: the bytes are left alone', () => {
  const bytes = Buffer.from(`\n{ "layers":[ ], "schemaVersion" : 2e0,"config":${JSON.stringify(config)}, "x":"\\u00e9" }\n`);
  const before = digestOf(bytes);
  expect(parseManifest(bytes, OCI_IMAGE_MANIFEST).kind).toBe('image');
  expect(digestOf(bytes)).toBe(before);
});

test('M-04: many fields of their own take little time', () => {
  const many = `{"mediaType":"a/b","digest":"${digestOf('x')}","size":1,${Array.from({ length: 200 }, (_, at) => `"${at.toString(36)}":0`).join()}}`;
  const text = JSON.stringify({ ...image, layers: [] }).replace('"layers":[]', `"layers":[${Array.from({ length: 2000 }, () => many).join()}]`);
  expect(fastest(() => expect(parse(text, OCI_IMAGE_MANIFEST).layers).toHaveLength(2000))).toBeLessThan(1500);
});

/** The fastest of three runs: a busy machine slows some of them, a bad algorithm slows all. */
function fastest(work: () => void): number {
  return Math.min(...[1, 2, 3].map(() => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }));
}
