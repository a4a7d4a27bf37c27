import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CALLERS, read, write } from '../apps/core/dist/authorization/table/row.js';
import { routeTable } from '../apps/registry/dist/server/route-table.js';
import { Haven } from './haven.mjs';
import { imageOf, randomBlob, randomImage } from './image/synthetic.mjs';
import { drained, expectStatus } from './registry/oci-client.mjs';

// Who may call what under /v2/, through the whole platform: each caller fetches the token that a client would ask for
// and uses it. The letters are those of apps/core/src/authorization/table/row.ts; the statuses are written by hand.

const PULL = { public: '200 anlgdmps+-y', private: '401 an-, 200 lgdmps+y' };

const ROWS = {
  'GET base': same('401 a, 200 nlgdmps+-y'),
  'HEAD base': same('401 a, 200 nlgdmps+-y'),
  'GET catalog': same('401 anlgdmp+-, 200 sy'),
  'GET tags': PULL,
  'GET manifest': PULL,
  'HEAD manifest': PULL,
  'PUT manifest': same('401 anlg-, 201 dmps+y'),
  'DELETE manifest': same('401 anlgd-, 202 mps+y'),
  'GET blob': PULL,
  'HEAD blob': PULL,
  'DELETE blob': same('401 anlgd-, 202 mps+y'),
  'POST uploads': same('401 anlg-, 202 dmps+y'),
  'POST uploads, a whole blob': same('401 anlg-, 201 dmps+y'),
  'POST uploads, mounting from the same project': same('401 anlg-, 201 dmps+y'),
  'POST uploads, mounting from a project of others': same('401 anlgdmp+-, 201 sy'),
  'GET upload': same('401 anlg-, 204 dmps+y'),
  'PATCH upload': same('401 anlg-, 202 dmps+y'),
  'PUT upload': same('401 anlg-, 201 dmps+y'),
  'DELETE upload': same('401 anlg-, 204 dmps+y'),
  'GET referrers': PULL,
};

function same(statuses) {
  return { public: statuses, private: statuses };
}

const MEMBERS = { l: ['lars', 'limitedGuest'], g: ['gina', 'guest'], d: ['dave', 'developer'], m: ['mary', 'maintainer'], p: ['paul', 'projectAdmin'] };
const ACTIONS = ['pull', 'push', 'delete'].map((action) => ({ resource: 'repository', action }));
/** What no request under /v2/ needs. */
const USELESS = [{ resource: 'label', action: 'list' }];

describe('every route under /v2/', () => {
  let haven, document;
  const clients = { public: {}, private: {} };
  const places = {};
  let others;

  beforeAll(async () => {
    haven = await Haven.start();
    const accounts = { n: await haven.user('nora') };
    for (const [letter, [name]] of Object.entries(MEMBERS)) accounts[letter] = await haven.user(name);
    const members = Object.fromEntries(Object.values(MEMBERS));
    const steward = await robot({ name: 'steward', level: 'system', permissions: [{ kind: 'project', namespace: '*', access: ACTIONS }, { kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] });
    for (const visibility of ['public', 'private']) {
      const project = await haven.project({ isPublic: visibility === 'public', members });
      const ofProject = (name, access) => robot({ name, level: 'project', permissions: [{ kind: 'project', namespace: project, access }] });
      places[visibility] = { project, repository: `${project}/app` };
      const callers = { a: undefined, ...accounts, s: haven.adminAccount, '+': await ofProject('able', ACTIONS), '-': await ofProject('useless', USELESS), y: steward };
      for (const [letter, account] of Object.entries(callers)) clients[visibility][letter] = haven.oci(account);
      places[visibility].image = await push(`${project}/app`);
    }
    const hidden = await haven.project();
    others = { repository: `${hidden}/app`, image: await push(`${hidden}/app`) };
    document = await (await fetch(`${haven.url}/api/v2.0/openapi.json`)).json();
  }, 180_000);
  afterAll(() => haven?.stop(), 60_000);

  async function robot(wanted) {
    const response = await haven.admin.request('POST', '/robots', { duration: -1, ...wanted });
    const { name, secret } = await expectStatus(response, 201, `make the robot ${wanted.name}`).json();
    return { user: name, password: secret };
  }

  async function push(repository, tag = 'kept', image = randomImage()) {
    await haven.oci(haven.adminAccount).pushImage(repository, tag, image);
    return image;
  }

  const admin = () => haven.oci(haven.adminAccount);

  /** An open upload of this caller, or of the administrator where the caller cannot open one. */
  async function openUpload(client, repository) {
    const own = await drained(await send(client, 'POST', `/v2/${repository}/blobs/uploads/`));
    return own.status === 202 ? own.headers.get('location') : admin().startUpload(repository);
  }

  /** What the row's request is, made ready anew for every caller. */
  async function requestOf(kind, client, { repository, image }) {
    const [blob] = image.layers;
    const fresh = randomBlob(64);
    switch (kind) {
      case 'base': return { path: '/v2/', scopes: [] };
      case 'catalog': return { path: '/v2/_catalog', scopes: ['registry:catalog:*'] };
      case 'tags': return { path: `/v2/${repository}/tags/list` };
      case 'referrers': return { path: `/v2/${repository}/referrers/${image.digest}` };
      case 'GET manifest': case 'HEAD manifest': return { path: `/v2/${repository}/manifests/kept` };
      case 'PUT manifest': {
        const again = imageOf(image.layers, { annotations: { fresh: fresh.digest } });
        return { path: `/v2/${repository}/manifests/pushed`, body: again.bytes, type: again.mediaType };
      }
      case 'DELETE manifest': return { path: `/v2/${repository}/manifests/${(await push(repository, 'doomed')).digest}` };
      case 'GET blob': case 'HEAD blob': return { path: `/v2/${repository}/blobs/${blob.digest}` };
      case 'DELETE blob': expectStatus(await admin().pushBlob(repository, fresh), 201, 'push a blob'); return { path: `/v2/${repository}/blobs/${fresh.digest}` };
      case 'uploads': return { path: `/v2/${repository}/blobs/uploads/` };
      case 'uploads, a whole blob': return { path: `/v2/${repository}/blobs/uploads/?digest=${fresh.digest}`, body: fresh.bytes };
      case 'uploads, mounting from the same project': return mounting(repository, { repository, image });
      case 'uploads, mounting from a project of others': return mounting(repository, others);
      case 'PUT upload': return { path: `${await openUpload(client, repository)}?digest=${fresh.digest}`, body: fresh.bytes, scopes: pushing(repository) };
      case 'PATCH upload': return { path: await openUpload(client, repository), body: fresh.bytes, scopes: pushing(repository) };
      case 'upload': return { path: await openUpload(client, repository), scopes: pushing(repository) };
    }
    throw new Error(`the test does not know how to call ${kind}`);
  }

  const pushing = (repository) => [`repository:${repository}:pull,push`];

  function mounting(repository, from) {
    const target = repository.replace('/app', '/other');
    return { path: `/v2/${target}/blobs/uploads/?mount=${from.image.layers[0].digest}&from=${from.repository}`, scopes: [...pushing(target), `repository:${from.repository}:pull`] };
  }

  /** As a client does: a token for what the request needs; none when the token service gives none. */
  async function send(client, method, path, { scopes, body, type } = {}) {
    const options = { ...(scopes ? { scopes } : {}), body, headers: type ? { 'content-type': type } : {} };
    if (scopes?.length === 0 && Object.keys(client.basic()).length === 0) return client.request(method, path, { ...options, token: null });
    return client.request(method, path, options);
  }

  async function statusFor(row, client, place) {
    const method = row.split(' ', 1)[0];
    const kind = row.slice(method.length + 1);
    const { path, ...options } = await requestOf(['manifest', 'blob'].includes(kind) || (kind === 'upload' && method.startsWith('P')) ? row : kind, client, place);
    return (await drained(await send(client, method, path, options))).status;
  }

  test('has a row, and every row a route', () => {
    const routes = Object.entries(routeTable({})).flatMap(([kind, methods]) => Object.keys(methods).map((method) => `${method} ${kind}`));
    expect([...new Set(Object.keys(ROWS).map((row) => row.split(',', 1)[0]))].sort()).toEqual(routes.sort());
  });

  test('is in the API document', () => {
    const described = Object.entries(document.paths).filter(([path]) => path.startsWith('/v2/')).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${kindOf(path)}`));
    expect(described.sort()).toEqual(Object.entries(routeTable({})).flatMap(([kind, methods]) => Object.keys(methods).map((method) => `${method} ${kind}`)).sort());
  });

  function kindOf(path) {
    return { '/v2/': 'base', '/v2/_catalog': 'catalog', '/v2/{name}/blobs/uploads/': 'uploads', '/v2/{name}/blobs/uploads/{upload_id}': 'upload' }[path] ?? path.split('/')[3].replace(/^(manifest|blob)s$/, '$1');
  }

  describe.each(['public', 'private'])('in a %s project', (visibility) => {
    test.each(Object.entries(ROWS))('%s', async (row, expected) => {
      const seen = new Map();
      for (const letter of CALLERS) seen.set(letter, await statusFor(row, clients[visibility][letter], places[visibility]));
      expect(write(seen)).toBe(write(read(expected[visibility])));
      const [method, kind] = row.split(',', 1)[0].split(' ');
      const [, operations] = Object.entries(document.paths).find(([path, methods]) => path.startsWith('/v2/') && kindOf(path) === kind && methods[method.toLowerCase()]);
      for (const status of seen.values()) expect(Object.keys(operations[method.toLowerCase()].responses)).toContain(String(status));
    });
  });
});
