import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Haven, until } from './haven.mjs';
import { descriptor, indexOf, MEDIA, randomBlob, randomImage } from './image/synthetic.mjs';
import { drained, errorCodes, expectStatus } from './registry/oci-client.mjs';
import { rawRequest, sendRaw } from './registry/raw-http.mjs';

/** Sections C and N of the security cases: content crosses no border between projects, and rights end when they end. */
describe('borders between projects', () => {
  let haven, alice, bob, eve, lars, alpha, bravo, image;

  beforeAll(async () => {
    haven = await Haven.start();
    const accounts = {};
    for (const name of ['alice', 'bob', 'eve', 'lars']) accounts[name] = await haven.user(name);
    ({ alice, bob, eve, lars } = accounts);
    alpha = await haven.project({ members: { alice: 'projectAdmin', lars: 'limitedGuest' } });
    bravo = await haven.project({ members: { bob: 'projectAdmin' } });
    image = randomImage({ layers: 1, size: 65_536 });
    await haven.oci(alice).pushImage(`${alpha}/app`, '1', image);
    await haven.oci(bob).pushImage(`${bravo}/app`, '1', randomImage());
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const layer = () => image.layers[0];
  const statusOf = async (promise) => (await drained(await promise)).status;

  test('C-07: without "from" a blob is mounted only from where its taker may read', async () => {
    const refused = await haven.oci(bob).mountBlob(`${bravo}/app`, layer().digest);
    expect(refused.status).toBe(202);
    expect((await haven.oci(bob).head(`${bravo}/app`, 'blobs', layer().digest)).status).toBe(404);
    const allowed = await haven.oci(alice).mountBlob(`${alpha}/second`, layer().digest);
    expect(allowed.status).toBe(201);
  });

  test('a mount from a repository that one may not read never succeeds, whatever the token says', async () => {
    const oci = haven.oci(bob);
    const both = await oci.mountBlob(`${bravo}/app`, layer().digest, `${alpha}/app`);
    expect([202, 401, 403]).toContain(both.status);
    const target = `/v2/${bravo}/app/blobs/uploads/?mount=${layer().digest}&from=${alpha}/app`;
    const own = await drained(await oci.request('POST', target, { scopes: [`repository:${bravo}/app:pull,push`] }));
    expect([202, 401, 403]).toContain(own.status);
    expect((await oci.head(`${bravo}/app`, 'blobs', layer().digest)).status).toBe(404);
    for (const from of ['../alpha/app', `${alpha}/app/../app`, 'ALPHA/app', '', `${alpha}/app&from=${bravo}/app`]) {
      const odd = await statusOf(oci.request('POST', `/v2/${bravo}/app/blobs/uploads/?mount=${layer().digest}&from=${from}`, { scopes: [`repository:${bravo}/app:pull,push`] }));
      expect([202, 400, 401]).toContain(odd);
    }
    expect((await oci.head(`${bravo}/app`, 'blobs', layer().digest)).status).toBe(404);
  });

  test('C-09: a digest is not a key', async () => {
    const oci = haven.oci(bob);
    const shut = async (method, path) => statusOf(oci.request(method, path));
    expect(await shut('GET', `/v2/${bravo}/app/blobs/${layer().digest}`)).toBe(404);
    expect(await shut('HEAD', `/v2/${bravo}/app/blobs/${layer().digest}`)).toBe(404);
    expect(await shut('GET', `/v2/${bravo}/app/manifests/${image.digest}`)).toBe(404);
    expect(await shut('GET', `/v2/${alpha}/app/blobs/${layer().digest}`)).toBe(401);
    // A manifest is stored as a blob too: its digest does not open it through the other address either.
    expect(await shut('GET', `/v2/${bravo}/app/blobs/${image.digest}`)).toBe(404);
  });

  test('a manifest that names somebody else\'s layer is refused, so it cannot be fetched through it', async () => {
    const own = randomImage();
    const oci = haven.oci(bob);
    expectStatus(await oci.pushBlob(`${bravo}/app`, own.config), 201, 'config');
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.image, config: descriptor(own.config, MEDIA.config), layers: [descriptor(layer(), MEDIA.layer)] }));
    const response = await oci.putManifest(`${bravo}/app`, 'thief', { bytes }, { mediaType: MEDIA.image });
    expect([response.status, errorCodes(response)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
    expect((await oci.head(`${bravo}/app`, 'blobs', layer().digest)).status).toBe(404);
  });

  test('C-13: an index that names a foreign child does not open the child', async () => {
    const sparse = await haven.project({ members: { bob: 'projectAdmin' }, metadata: { allow_sparse_manifests: 'true' } });
    const oci = haven.oci(bob);
    const index = indexOf([image]);
    expectStatus(await oci.putManifest(`${sparse}/app`, 'index', index), 201, 'sparse index');
    expect(await statusOf(oci.getManifest(`${sparse}/app`, image.digest))).toBe(404);
    expect(await statusOf(oci.getBlob(`${sparse}/app`, layer().digest))).toBe(404);
    expect((await oci.putManifest(`${bravo}/app`, 'index', index)).status).toBe(404);
  });

  test('C-14, C-15: referrers are those of the same repository, and computed, not believed', async () => {
    const referrer = randomImage({ subject: descriptor(image, MEDIA.image), artifactType: 'application/vnd.test.signature' });
    await haven.oci(bob).pushImage(`${bravo}/app`, referrer.digest, referrer);
    const list = async (account, name) => {
      const response = await haven.oci(account).request('GET', `/v2/${name}/referrers/${image.digest}`);
      return [response.status, response.status === 200 ? (await response.json()).manifests.map((entry) => entry.digest) : undefined];
    };
    expect(await list(alice, `${alpha}/app`)).toEqual([200, []]);
    expect(await list(bob, `${bravo}/app`)).toEqual([200, [referrer.digest]]);
    expect((await list(eve, `${alpha}/app`))[0]).toBe(401);
    const fake = indexOf([randomImage()]);
    const sparse = await haven.project({ members: { alice: 'projectAdmin' }, metadata: { allow_sparse_manifests: 'true' } });
    await haven.oci(alice).pushImage(`${sparse}/app`, '1', image);
    expectStatus(await haven.oci(alice).putManifest(`${sparse}/app`, image.digest.replace(':', '-'), fake), 201, 'hand-made fallback tag');
    expect(await list(alice, `${sparse}/app`)).toEqual([200, []]);
  });

  test('C-20: a conditional request tells a stranger nothing', async () => {
    const asked = async (method, name, token) => {
      const response = await haven.oci().request(method, `/v2/${name}/manifests/1`, { token, headers: { 'if-none-match': `"${image.digest}"` } });
      return [response.status, response.headers.get('etag'), response.headers.get('docker-content-digest')];
    };
    for (const method of ['GET', 'HEAD']) expect(await asked(method, `${alpha}/app`, null)).toEqual([401, null, null]);
    const mine = await haven.oci(alice).getManifest(`${alpha}/app`, '1', { headers: { 'if-none-match': `"${image.digest}"` } });
    expect(mine.status).toBe(304);
  });

  test('C-03: the catalogue is for administrators, under every spelling', async () => {
    const token = await haven.oci(alice).token('registry:catalog:*');
    for (const target of ['/v2/_catalog', '/v2/_catalog/', '/v2/_catalog/x', '/v2//_catalog', '/V2/_catalog', '/v2/_catalog.json', '/v2/_catalog?n=5', '/v2/%5fcatalog', '/v2/_Catalog', '/v2/./_catalog']) {
      for (const authorization of [undefined, `Bearer ${token}`]) {
        const { answers } = await sendRaw(haven.url, rawRequest('GET', target, { Host: haven.host, ...(authorization ? { Authorization: authorization } : {}) }), { quietMs: 150 });
        expect([400, 401, 403, 404]).toContain(answers[0].status);
        expect(answers[0].body).not.toContain(alpha);
      }
    }
    const all = await haven.oci(haven.adminAccount).request('GET', '/v2/_catalog', { scopes: ['registry:catalog:*'] });
    expect((await all.json()).repositories).toEqual(expect.arrayContaining([`${alpha}/app`, `${bravo}/app`]));
  });

  test('C-17: a limited guest pulls and lists what can be pulled, and sees nobody and changes nothing', async () => {
    const oci = haven.oci(lars);
    const seen = [];
    for (const path of ['manifests/1', 'tags/list', `referrers/${image.digest}`, `blobs/${layer().digest}`]) seen.push(await statusOf(oci.request('GET', `/v2/${alpha}/app/${path}`)));
    expect(seen).toEqual([200, 200, 200, 200]);
    expect((await oci.putManifest(`${alpha}/app`, '2', image)).status).toBe(401);
    expect((await oci.delete(`${alpha}/app`, 'manifests', image.digest)).status).toBe(401);
    expect(await statusOf(oci.request('POST', `/v2/${alpha}/app/blobs/uploads/`))).toBe(401);
    const rest = haven.rest(lars);
    const asked = async (method, path) => (await rest.request(method, `/projects/${alpha}${path}`)).status;
    const artifact = `/repositories/app/artifacts/${image.digest}`;
    expect([await asked('GET', ''), await asked('GET', '/repositories/app/artifacts'), await asked('GET', artifact)]).toEqual([200, 200, 200]);
    for (const path of ['/members', '/logs', '/auditlog-exts', '/robots', '/immutabletagrules', '/bin', '/metadatas', '/_deletable']) expect([path, await asked('GET', path)]).toEqual([path, 403]);
    for (const path of ['', '/repositories/app', artifact, `${artifact}/tags/1`]) expect([path, await asked('DELETE', path)]).toEqual([path, 403]);
  });

  test('L-02: under /v2/ a hidden project looks like one that does not exist', async () => {
    const digest = layer().digest;
    const ghost = `${alpha.slice(0, -1)}z`; // as long: answers repeat the name
    const asked = async (account, method, name, path) => {
      const oci = haven.oci(account);
      const answer = await drained(await oci.request(method, `/v2/${name}/${path}`, method === 'PUT' || method === 'PATCH' ? { body: '{}', headers: { 'content-type': MEDIA.image } } : {}));
      const text = (value) => value.replaceAll(name, 'NAME');
      return [answer.status, text(answer.bodyText), [...answer.headers].filter(([header]) => !['date', 'x-request-id', 'docker-upload-uuid'].includes(header)).map(([header, value]) => [header, text(value)])];
    };
    for (const account of [undefined, eve, bob]) {
      for (const [method, path] of [
        ['GET', 'manifests/1'], ['HEAD', 'manifests/1'], ['PUT', 'manifests/1'], ['DELETE', 'manifests/1'], ['GET', `manifests/${image.digest}`], ['GET', 'tags/list'], ['GET', `referrers/${image.digest}`], ['GET', `blobs/${digest}`], ['HEAD', `blobs/${digest}`],
        ['DELETE', `blobs/${digest}`], ['POST', 'blobs/uploads/'], ['POST', `blobs/uploads/?mount=${digest}&from=${bravo}/app`], ['PATCH', 'blobs/uploads/0f0f0f0f-0000-4000-8000-000000000000'],
      ]) {
        const hidden = await asked(account, method, `${alpha}/app`, path);
        expect([path, hidden[0]]).toEqual([path, 401]);
        expect(hidden).toEqual(await asked(account, method, `${ghost}/app`, path));
      }
    }
  });

  test('L-04: a digest that others hold is worth no more than one that nobody holds', async () => {
    const known = layer();
    const unknown = randomBlob(known.size);
    const oci = haven.oci(bob);
    const used = async () => (await (await haven.rest(bob).request('GET', `/projects/${bravo}/summary`)).json()).quota.used.storage;
    const charged = [];
    for (const blob of [known, unknown]) {
      const target = `/v2/${bravo}/oracle/blobs/uploads/`;
      const post = (query, body) => oci.request('POST', `${target}?${query}`, { body }).then(drained);
      const before = await used();
      const shape = ({ status, headers, bodyText }) => [status, [...headers.keys()].filter((name) => name !== 'connection').toSorted(), (bodyText ?? '').replaceAll(/[0-9a-f]{64}/g, '#')];
      const answers = [await post(`mount=${blob.digest}`), await post(`digest=${blob.digest}`, Buffer.alloc(0)), await post(`digest=${blob.digest}`, Buffer.alloc(known.size, 7)), await oci.finishUpload(`${bravo}/oracle`, await oci.startUpload(`${bravo}/oracle`), blob.digest), await drained(await oci.head(`${bravo}/oracle`, 'blobs', blob.digest))];
      expect(answers.map(({ status }) => status)).toEqual([202, 400, 400, 400, 404]);
      expect(await used()).toBe(before);
      expectStatus(await oci.pushBlob(`${bravo}/oracle`, blob), 201, 'the whole blob');
      charged.push([await used() - before, ...answers.map(shape)]);
    }
    expect(charged[0]).toEqual(charged[1]);
    expect(charged[0][0]).toBe(known.size);
  });

  test('L-04: nor is it stored faster', async () => {
    const oci = haven.oci(bob);
    const times = { known: [], unknown: [] };
    for (let round = 0; round < 15; round += 1) {
      const theirs = randomBlob(20_000);
      await haven.oci(alice).pushBlob(`${alpha}/timing`, theirs);
      for (const [kind, blob] of [['known', theirs], ['unknown', randomBlob(20_000)]]) {
        const location = await oci.startUpload(`${bravo}/timing`);
        const started = performance.now();
        expectStatus(await oci.finishUpload(`${bravo}/timing`, location, blob.digest, blob.bytes), 201, kind);
        times[kind].push(performance.now() - started);
      }
    }
    const [known, unknown] = [times.known, times.unknown].map((values) => values.toSorted((a, b) => a - b)[7]);
    // All bytes were sent and checked either way; what is left is whether they are written once more, which a network hides.
    expect(Math.abs(known - unknown)).toBeLessThan(25);
  });

  test('A-14: who is deleted has nothing left: no password, no token, no upload', async () => {
    const leaver = await haven.user('leaver');
    await haven.admin.addMember(alpha, 'leaver', 'developer');
    const oci = haven.oci(leaver);
    const location = await oci.startUpload(`${alpha}/app`);
    expectStatus(await oci.patch(`${alpha}/app`, location, Buffer.from('half'), 0), 202, 'chunk');
    const token = await oci.token(`repository:${alpha}/app:pull,push`);
    expect(await statusOf(oci.getManifest(`${alpha}/app`, '1', { token }))).toBe(200);
    await haven.admin.deleteUser(await haven.admin.userId('leaver'));
    expect((await oci.requestToken([])).status).toBe(401);
    await until('the old token is refused', async () => (await statusOf(oci.getManifest(`${alpha}/app`, '1', { token }))) === 401, { seconds: 10 });
    expect(await statusOf(oci.request('PATCH', location, { token, body: Buffer.from('rest') }))).toBe(401);
    expect(await statusOf(oci.request('PUT', `${location}?digest=${randomBlob(1).digest}`, { token }))).toBe(401);
    expect((await haven.rest(leaver).request('GET', '/users/current')).status).toBe(401);
  });

  test('N-02: what was open to everybody and is private now is closed to tokens and ETags from before', async () => {
    const open = await haven.project({ isPublic: true, members: { alice: 'developer' } });
    await haven.oci(alice).pushImage(`${open}/app`, '1', image);
    const visitor = haven.oci();
    const token = await visitor.token(`repository:${open}/app:pull`);
    const manifest = await drained(await visitor.getManifest(`${open}/app`, '1', { token }));
    const etag = manifest.headers.get('etag') ?? `"${image.digest}"`;
    const all = () => Promise.all([
      visitor.getManifest(`${open}/app`, '1', { token }), visitor.getManifest(`${open}/app`, '1', { token, headers: { 'if-none-match': etag } }), visitor.getBlob(`${open}/app`, layer().digest, { token }),
      visitor.request('GET', `/v2/${open}/app/tags/list`, { token }), visitor.request('GET', `/v2/${open}/app/referrers/${image.digest}`, { token }),
    ].map(statusOf));
    expect(await all()).toEqual([200, 304, 200, 200, 200]);
    expect((await haven.admin.request('PUT', `/projects/${open}`, { metadata: { public: 'false' } })).status).toBe(200);
    await until('the old token is refused everywhere', async () => (await all()).every((status) => status === 401), { seconds: 10 });
    const anew = await visitor.token(`repository:${open}/app:pull`);
    expect(await statusOf(visitor.getManifest(`${open}/app`, '1', { token: anew, headers: { 'if-none-match': etag } }))).toBe(401);
    expect(await statusOf(haven.oci(alice).getManifest(`${open}/app`, '1'))).toBe(200);
  });

  test('N-03: who loses the right in the middle of an upload cannot finish it', async () => {
    const dave = await haven.user('dave');
    await haven.admin.addMember(alpha, 'dave', 'developer');
    const oci = haven.oci(dave);
    const blob = randomBlob(4_000);
    const location = await oci.startUpload(`${alpha}/app`);
    for (let start = 0; start < 3_000; start += 1_000) expectStatus(await oci.patch(`${alpha}/app`, location, blob.bytes.subarray(start, start + 1_000), start), 202, 'chunk');
    await haven.admin.removeMember(alpha, 'dave');
    await until('the old token is refused', async () => (await oci.patch(`${alpha}/app`, location, Buffer.alloc(0), undefined)).status === 401, { seconds: 10 });
    expect((await oci.patch(`${alpha}/app`, location, blob.bytes.subarray(3_000), 3_000)).status).toBe(401);
    expect((await oci.finishUpload(`${alpha}/app`, location, blob.digest)).status).toBe(401);
    expect((await oci.putManifest(`${alpha}/app`, 'late', image)).status).toBe(401);
    expect((await haven.oci(alice).head(`${alpha}/app`, 'blobs', blob.digest)).status).toBe(404);
  });

  test('a deleted user\'s token is worth nothing', async () => {
    const gone = await haven.user('gone');
    await haven.admin.addMember(alpha, 'gone', 'guest');
    const token = await haven.oci(gone).token(`repository:${alpha}/app:pull`);
    const pull = () => statusOf(haven.oci().getManifest(`${alpha}/app`, '1', { token }));
    expect(await pull()).toBe(200);
    await haven.admin.deleteUser(await haven.admin.userId('gone'));
    await until('the token is refused', async () => (await pull()) === 401, { seconds: 10 });
    expect((await haven.oci(gone).requestToken([`repository:${alpha}/app:pull`])).status).toBe(401);
  });

  test('a project that is made anew under its old name is not opened by an old token', async () => {
    const name = await haven.project({ members: { bob: 'projectAdmin' } });
    const token = await haven.oci(bob).token(`repository:${name}/app:pull,push`);
    await haven.admin.deleteProject(name);
    await haven.project({ name, members: { alice: 'projectAdmin' } });
    await haven.oci(alice).pushImage(`${name}/app`, '1', image);
    await until('the old token is refused', async () => (await statusOf(haven.oci().getManifest(`${name}/app`, '1', { token }))) === 401, { seconds: 10 });
    const response = await haven.oci().putManifest(`${name}/app`, 'evil', image, { token });
    expect(response.status).toBe(401);
  });

  test('N-04: deleting a repository while it is pushed to ends in one of two clean states', async () => {
    const oci = haven.oci(alice);
    for (let round = 0; round < 30; round += 1) {
      const name = `${alpha}/race-${round}`;
      const pushed = randomImage({ size: 2_000 });
      await oci.pushImage(name, 'old', randomImage());
      for (const blob of pushed.blobs) expectStatus(await oci.pushBlob(name, blob), 201, 'blob');
      const [, put] = await Promise.all([
        delay(Math.random() * 8).then(() => haven.admin.deleteRepository(alpha, `race-${round}`)),
        delay(Math.random() * 8).then(() => oci.putManifest(name, 'new', pushed)),
      ]);
      expect([201, 404]).toContain(put.status);
      const tagged = await drained(await oci.getManifest(name, 'new'));
      const content = [tagged.bodyText === pushed.bytes.toString(), ...await Promise.all(pushed.blobs.map((blob) => statusOf(oci.getBlob(name, blob.digest))))];
      // All of it is there, or the manifest is not: never a manifest whose blobs went.
      expect([tagged.status, tagged.status === 200 ? content : 'gone']).toEqual(tagged.status === 200 ? [200, [true, 200, 200]] : [404, 'gone']);
    }
  });

  test('N-10: the same delete twice, also at once, has one effect', async () => {
    const oci = haven.oci(alice);
    const own = randomImage();
    await oci.pushImage(`${alpha}/twice`, '1', own);
    const answers = await Promise.all(Array.from({ length: 8 }, () => oci.delete(`${alpha}/twice`, 'manifests', own.digest)));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses).toContain(202);
    expect(statuses.every((status) => status === 202 || status === 404)).toBe(true);
    expect((await oci.delete(`${alpha}/twice`, 'manifests', own.digest)).status).toBe(404);
  });

  test('a manifest that an index needs is not deleted from under it', async () => {
    const oci = haven.oci(alice);
    const child = randomImage();
    const index = indexOf([child]);
    await oci.pushImage(`${alpha}/family`, child.digest, child);
    expectStatus(await oci.putManifest(`${alpha}/family`, 'index', index), 201, 'index');
    const refused = await oci.delete(`${alpha}/family`, 'manifests', child.digest);
    expect(refused.status).not.toBe(500);
    const whole = await statusOf(oci.getManifest(`${alpha}/family`, 'index'));
    const part = await statusOf(oci.getManifest(`${alpha}/family`, child.digest));
    expect(whole).toBe(200);
    expect(part).toBe(refused.status === 202 ? 404 : 200);
  });
});
