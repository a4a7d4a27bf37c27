import type { JsonObject } from './json.js';
import type { PlacedOperation } from './placed-operation.js';

/** What the registry answers under /v2/; a test holds this table against its routes and answers. */
interface RegistryOperation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query?: readonly (readonly [name: string, description: string, required?: true])[];
  readonly requestHeaders?: readonly string[];
  readonly takes?: 'manifest' | 'bytes';
  readonly answers: readonly Answer[];
  readonly refuses: readonly number[];
  readonly extension?: true;
}

interface Answer {
  readonly status: number;
  readonly what: string;
  readonly headers?: readonly string[];
  readonly schema?: string;
  readonly bytes?: true;
}

const DIGEST = 'Docker-Content-Digest';
const BLOB = '/v2/{name}/blobs/{digest}';
const MANIFEST = '/v2/{name}/manifests/{reference}';
const UPLOAD = '/v2/{name}/blobs/uploads/{upload_id}';
const PROGRESS = ['Docker-Upload-UUID', 'Location', 'Range'];
const PAGE = [['n', 'Entries on a page, at most 1000.'], ['last', 'The entry after which the page starts.']] as const;

const OPERATIONS: readonly RegistryOperation[] = [
  { method: 'GET', path: '/v2/', id: 'getRegistryBase', summary: 'Whether this is a registry and the token is good', answers: [{ status: 200, what: 'It is.', schema: 'RegistryBase' }], refuses: [] },
  { method: 'HEAD', path: '/v2/', id: 'headRegistryBase', summary: 'Whether this is a registry and the token is good', answers: [{ status: 200, what: 'It is.' }], refuses: [] },
  { method: 'GET', path: '/v2/_catalog', id: 'listRegistryCatalog', summary: 'List the names of all repositories', query: PAGE, answers: [{ status: 200, what: 'One page.', headers: ['Link', 'Warning'], schema: 'RegistryCatalog' }], refuses: [400] },
  { method: 'GET', path: '/v2/{name}/tags/list', id: 'listRegistryTags', summary: 'List the tags of a repository', query: PAGE, answers: [{ status: 200, what: 'One page.', headers: ['Link', 'Warning'], schema: 'RegistryTags' }], refuses: [400, 404] },
  {
    method: 'GET', path: '/v2/{name}/referrers/{digest}', id: 'listReferrers', summary: 'List the manifests whose subject is this one',
    query: [['artifactType', 'Only those of this type.'], ['last', 'The digest after which the page starts.']],
    answers: [{ status: 200, what: 'An index of them; empty when there are none.', headers: ['Link', 'OCI-Filters-Applied'], schema: 'RegistryIndex' }], refuses: [400],
  },
  { method: 'GET', path: MANIFEST, id: 'getManifest', summary: 'Pull a manifest', requestHeaders: ['Accept', 'If-None-Match'], answers: [{ status: 200, what: 'The manifest, byte for byte.', headers: [DIGEST, 'ETag'], bytes: true }, { status: 304, what: 'It is the one the client has.', headers: [DIGEST, 'ETag'] }], refuses: [400, 404] },
  { method: 'HEAD', path: MANIFEST, id: 'headManifest', summary: 'Whether a manifest is there, its digest and size', requestHeaders: ['Accept', 'If-None-Match'], answers: [{ status: 200, what: 'It is.', headers: [DIGEST, 'ETag'] }, { status: 304, what: 'It is the one the client has.', headers: [DIGEST, 'ETag'] }], refuses: [400, 404] },
  {
    method: 'PUT', path: MANIFEST, id: 'putManifest', summary: 'Push a manifest', query: [['tag', 'Another tag for it; may be given several times.']], takes: 'manifest',
    answers: [{ status: 201, what: 'It is stored.', headers: [DIGEST, 'Location', 'OCI-Subject', 'OCI-Tag', 'Warning'] }], refuses: [400, 403, 404, 409, 412, 413],
  },
  { method: 'DELETE', path: MANIFEST, id: 'deleteManifest', summary: 'Delete a manifest with all its tags, or one tag', answers: [{ status: 202, what: 'It is gone.' }], refuses: [400, 403, 404, 412] },
  {
    method: 'GET', path: BLOB, id: 'getBlob', summary: 'Pull a blob or a range of it', requestHeaders: ['If-None-Match', 'If-Range', 'Range'],
    answers: [
      { status: 200, what: 'All of it.', headers: [DIGEST, 'ETag', 'Accept-Ranges'], bytes: true }, { status: 206, what: 'The range.', headers: [DIGEST, 'ETag', 'Content-Range'], bytes: true },
      { status: 304, what: 'It is the one the client has.', headers: [DIGEST, 'ETag'] }, { status: 307, what: 'The storage itself has it.', headers: [DIGEST, 'Location'] },
    ],
    refuses: [400, 404, 416],
  },
  { method: 'HEAD', path: BLOB, id: 'headBlob', summary: 'Whether a blob is there, and its size', requestHeaders: ['If-None-Match', 'If-Range', 'Range'], answers: [{ status: 200, what: 'It is.', headers: [DIGEST, 'ETag', 'Accept-Ranges'] }, { status: 206, what: 'The range is.', headers: [DIGEST, 'ETag', 'Content-Range'] }, { status: 304, what: 'It is the one the client has.', headers: [DIGEST, 'ETag'] }], refuses: [400, 404, 416] },
  { method: 'DELETE', path: BLOB, id: 'deleteBlob', summary: 'Take a blob out of a repository', answers: [{ status: 202, what: 'It is gone from this repository.' }], refuses: [400, 403, 404, 412] },
  {
    method: 'POST', path: '/v2/{name}/blobs/uploads/', id: 'startUpload', summary: 'Open an upload, push a whole blob, or mount one from another repository', takes: 'bytes',
    query: [['digest', 'The digest of the blob that is the body.'], ['mount', 'The digest of the blob to mount.'], ['from', 'The repository to mount from.']],
    answers: [{ status: 201, what: 'The blob is in the repository.', headers: [DIGEST, 'Location'] }, { status: 202, what: 'The upload is open.', headers: PROGRESS }], refuses: [400, 403, 404, 413, 507],
  },
  { method: 'GET', path: UPLOAD, id: 'getUpload', summary: 'How far an upload got', answers: [{ status: 204, what: 'Range says how far.', headers: PROGRESS }], refuses: [400, 404] },
  { method: 'PATCH', path: UPLOAD, id: 'appendUpload', summary: 'Send a chunk', requestHeaders: ['Content-Range'], takes: 'bytes', answers: [{ status: 202, what: 'The chunk is stored.', headers: PROGRESS }], refuses: [400, 403, 404, 409, 413, 416, 507] },
  { method: 'PUT', path: UPLOAD, id: 'finishUpload', summary: 'Send the last chunk, or nothing more, and close the upload', query: [['digest', 'The digest of it all.', true]], requestHeaders: ['Content-Range'], takes: 'bytes', answers: [{ status: 201, what: 'The blob is in the repository.', headers: [DIGEST, 'Location'] }], refuses: [400, 403, 404, 409, 413, 416, 507] },
  { method: 'DELETE', path: UPLOAD, id: 'cancelUpload', summary: 'Give up an upload', answers: [{ status: 204, what: 'It is gone.' }], refuses: [400, 404] },
];

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  name: 'The repository, with its project and all its slashes, e.g. library/app.',
  reference: 'A tag or a digest.',
  digest: 'A digest, sha256:… or sha512:….',
  upload_id: 'The id in the Location of the upload.',
};

export function registryOperations(): PlacedOperation[] {
  return OPERATIONS.map((one) => ({ method: one.method, path: one.path, operation: operationOf(one) }));
}

const NAMES = { type: 'array', items: { type: 'string' } };

export function registrySchemas(): JsonObject {
  return {
    RegistryBase: { type: 'object' },
    RegistryCatalog: { type: 'object', properties: { repositories: NAMES }, required: ['repositories'] },
    RegistryErrors: {
      type: 'object',
      properties: { errors: { type: 'array', items: { type: 'object', properties: { code: { type: 'string' }, message: { type: 'string' }, detail: {} }, required: ['code', 'message'] } } },
      required: ['errors'],
    },
    RegistryIndex: { type: 'object', properties: { schemaVersion: { type: 'integer', const: 2 }, mediaType: { type: 'string' }, manifests: { type: 'array', items: { type: 'object' } } }, required: ['schemaVersion', 'mediaType', 'manifests'] },
    RegistryTags: { type: 'object', properties: { name: { type: 'string' }, tags: NAMES }, required: ['name', 'tags'] },
  };
}

function operationOf({ id, path, summary, query = [], requestHeaders = [], takes, answers, refuses, extension }: RegistryOperation): JsonObject {
  return {
    operationId: id,
    tags: ['registry'],
    summary,
    ...(extension === true ? { 'x-haven-extension': true } : {}),
    security: [{ bearer: [] }],
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', description: PATH_PARAMETERS[name] ?? '', required: true, schema: { type: 'string' } })),
      ...query.map(([name, description, required]) => ({ name, in: 'query', description, required: required === true, schema: { type: name === 'n' ? 'integer' : 'string' } })),
      ...requestHeaders.map((name) => ({ name, in: 'header', required: false, schema: { type: 'string' } })),
      { $ref: '#/components/parameters/RequestId' },
    ],
    ...(takes === undefined ? {} : { requestBody: bodyOf(takes) }),
    responses: Object.fromEntries([...answers.map((answer) => [String(answer.status), answerOf(answer)]), ...[401, ...refuses, 500, 503].sort().map((status) => [String(status), refusalOf(status)])]) as JsonObject,
  };
}

function bodyOf(takes: 'manifest' | 'bytes'): JsonObject {
  return takes === 'manifest'
    ? { required: true, content: { 'application/vnd.oci.image.manifest.v1+json': {}, 'application/vnd.oci.image.index.v1+json': {}, 'application/vnd.docker.distribution.manifest.v2+json': {}, 'application/vnd.docker.distribution.manifest.list.v2+json': {} } }
    : { required: false, content: { 'application/octet-stream': {} } };
}

function answerOf({ what, headers = [], schema, bytes }: Answer): JsonObject {
  return {
    description: what,
    headers: headersOf(headers),
    ...(schema === undefined ? {} : { content: { [schema === 'RegistryIndex' ? 'application/vnd.oci.image.index.v1+json' : 'application/json']: { schema: { $ref: `#/components/schemas/${schema}` } } } }),
    ...(bytes === true ? { content: { '*/*': {} } } : {}),
  };
}

function refusalOf(status: number): JsonObject {
  return {
    description: status === 401 ? 'A token is missing, wrong or not enough; WWW-Authenticate says where to get one.' : 'Refused; the body says why.',
    headers: headersOf(status === 401 ? ['WWW-Authenticate'] : status === 503 ? ['Retry-After'] : []),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/RegistryErrors' } } },
  };
}

function headersOf(names: readonly string[]): JsonObject {
  return { ...Object.fromEntries([...names].sort().map((name) => [name, { schema: { type: 'string' } }])), 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };
}
