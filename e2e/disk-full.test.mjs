import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Haven } from './haven.mjs';
import { randomBlob, randomImage } from './image/synthetic.mjs';
import { storedBlobs } from './load/stored-files.mjs';
import { drained, errorCodes, expectStatus } from './registry/oci-client.mjs';

const MIB = 1024 * 1024;
const DISK = 24 * MIB;
const CLEAR = ['INSUFFICIENT_STORAGE', 'UNKNOWN', 'UNAVAILABLE'];

const disk = smallDisk();
if (disk.problem) console.log(`The flow on a full disk is skipped: ${disk.problem}.`);

(disk.problem ? describe.skip : describe)('on a full disk', () => {
  let haven, oci, repository;

  beforeAll(async () => {
    haven = await Haven.start({ storage: pathToFileURL(disk.folder).href });
    const ann = await haven.user('ann');
    const project = await haven.project({ members: { ann: 'developer' } });
    repository = `${project}/app`;
    oci = haven.oci(ann);
    await oci.pushImage(repository, 'before', randomImage({ layers: 1, size: MIB }));
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
    execFileSync('umount', [disk.folder]);
    rmSync(disk.folder, { recursive: true, force: true });
  }, 60_000);

  async function expectRefusedCleanly(response, blob) {
    expect([500, 507]).toContain(response.status);
    expect(CLEAR).toContain(errorCodes(response)[0]);
    expect(response.bodyText).not.toMatch(/ENOSPC| at .*\.js|\/tmp\//);
    expect((await oci.head(repository, 'blobs', blob.digest)).status).toBe(404);
    const { faults } = await storedBlobs(disk.folder);
    expect(faults).toEqual([]);
    expect((await oci.head(repository, 'manifests', 'before')).status).toBe(200);
  }

  const smallerPushWorks = async (tag) => {
    await oci.pushImage(repository, tag, randomImage({ layers: 1, size: 2 * MIB }));
    return (await oci.head(repository, 'manifests', tag)).status;
  };

  test('a blob that does not fit is refused with a clear code, in one request', async () => {
    const blob = randomBlob(40 * MIB);
    const response = await drained(await oci.request('POST', `/v2/${repository}/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes }));
    await expectRefusedCleanly(response, blob);
    expect(await smallerPushWorks('after-post')).toBe(200);
  });

  test('as a session with PUT', async () => {
    const blob = randomBlob(40 * MIB);
    const location = await oci.startUpload(repository);
    await expectRefusedCleanly(await oci.finishUpload(repository, location, blob.digest, blob.bytes), blob);
    expect(await smallerPushWorks('after-put')).toBe(200);
  });

  test('in chunks: what fitted is kept until the client gives up', async () => {
    const blob = randomBlob(40 * MIB);
    let location = await oci.startUpload(repository);
    let refused;
    for (let start = 0; start < blob.size && !refused; start += 5 * MIB) {
      const response = await oci.patch(repository, location, blob.bytes.subarray(start, start + 5 * MIB), start);
      if (response.status === 202) location = response.headers.get('location');
      else refused = response;
    }
    await expectRefusedCleanly(refused, blob);
    const cancelled = await oci.request('DELETE', location, { scopes: [`repository:${repository}:pull,push`] });
    expect([204, 404]).toContain(cancelled.status);
    expect(await smallerPushWorks('after-chunks')).toBe(200);
  });

  test('many at once: some may fit, none is half there', async () => {
    const blobs = Array.from({ length: 8 }, () => randomBlob(6 * MIB));
    const answers = await Promise.all(blobs.map((blob) => oci.pushBlob(repository, blob).catch((error) => ({ status: 507, bodyText: JSON.stringify({ errors: [{ code: /\b507\b/.test(error.message) ? 'INSUFFICIENT_STORAGE' : error.message }] }) }))));
    for (const [i, answer] of answers.entries()) {
      expect([201, 500, 507]).toContain(answer.status);
      const head = await oci.head(repository, 'blobs', blobs[i].digest);
      expect(head.status).toBe(answer.status === 201 ? 200 : 404);
    }
    expect(answers.some((answer) => answer.status !== 201)).toBe(true);
    expect((await storedBlobs(disk.folder)).faults).toEqual([]);
  });

  test('the service lives: pulls work and nothing was restarted', async () => {
    expectStatus(await haven.admin.request('GET', '/ping'), 200, 'ping');
    const manifest = await oci.getManifest(repository, 'before');
    const { layers } = await manifest.json();
    const blob = await oci.getBlob(repository, layers[0].digest);
    expect([blob.status, (await blob.arrayBuffer()).byteLength]).toEqual([200, MIB]);
    expect(haven.lastLines(400)).not.toMatch(/starting it again/);
  });
});

/** A folder on a file system of its own that holds very little; only root can make one. */
function smallDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'hs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'tmpfs', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    chmodSync(folder, 0o700);
    return { folder };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return { problem: `a small file system could not be mounted (${String(error.stderr || error.message).trim()})` };
  }
}
