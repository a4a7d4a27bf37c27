import { setTimeout as delay } from 'node:timers/promises';
import { blobOf, digestOf, imageOf } from '../image/synthetic.mjs';
import { drained, errorCodes } from '../registry/oci-client.mjs';

const ATTEMPTS = 60;
/** So few that most layers are in no image, and garbage. */
const LIVE_IMAGES = 4;
/** The bin is purged all the time: an older image is not restored any more. */
const REMEMBERED_DELETIONS = 5000;

/** What the clients of the race know together. */
export class RaceLedger {
  /** Images that were accepted and that nobody has begun to delete; each with the number of those who are reading it. */
  live = new Map();
  /** The latest images whose deletion was answered. */
  deleted = new Map();
  counts = { accepted: 0, refused: 0, pushedAgain: 0, mounted: 0, deletes: 0, restored: 0, abandoned: 0, pulled: 0, looked: 0, foundMissing: 0 };
  faults = [];
  /** Grows with every deletion that begins or ends. */
  deletions = 0;

  count(what) {
    this.counts[what] += 1;
  }

  remember(digest, deleted) {
    this.deleted.set(digest, deleted);
    if (this.deleted.size > REMEMBERED_DELETIONS) this.deleted.delete(this.deleted.keys().next().value);
  }
}

/** Pushes, mounts, deletes, restores and reads images that share a few layers. */
export class RaceClient {
  #oci;
  #parts;
  #name;
  #images = 0;

  /** @param {{ oci: object, project: string, repositories: string[], layers: object[], random: object, ledger: RaceLedger, inUse: object, race: object, headers: object }} parts */
  constructor(name, parts) {
    this.#name = name;
    this.#parts = parts;
    this.#oci = parts.oci;
  }

  async step() {
    const { random } = this.#parts;
    const kind = this.#parts.ledger.live.size > LIVE_IMAGES && random.happens(0.6) ? 'remove' : random.weighted({ push: 36, abandon: 14, remove: 10, restore: 8, pull: 14, look: 18 });
    await this[kind]();
  }

  async push() {
    const { random, repositories, ledger, inUse } = this.#parts;
    const repository = random.pick(repositories);
    // The architecture makes each manifest another one; the layers are the same few.
    const image = imageOf(this.#someLayers(random.whole(1, 2)), { architecture: `${this.#name}-${(this.#images += 1)}` });
    await inUse.while(image.blobs.map(({ digest }) => digest), async () => {
      for (let attempt = 1; ; attempt += 1) {
        for (const blob of image.blobs) await this.#bring(repository, blob, attempt > 1);
        const response = await this.#oci.putManifest(repository, image.digest, image);
        if (response.status === 201) break;
        const again = response.status === 503 || errorCodes(response).includes('MANIFEST_BLOB_UNKNOWN');
        if (!again || attempt === ATTEMPTS) throw new Error(`manifest to ${repository}: ${response.status} ${response.bodyText}`);
        ledger.count(response.status === 503 ? 'refused' : 'pushedAgain');
        await delay(20);
      }
    });
    ledger.count('accepted');
    ledger.live.set(image.digest, { repository, image, readers: 0 });
  }

  async abandon() {
    const { random, repositories, ledger, inUse } = this.#parts;
    const [blob] = this.#someLayers(1);
    await inUse.while([blob.digest], () => this.#bring(random.pick(repositories), blob, false));
    ledger.count('abandoned');
  }

  async remove() {
    const { random, ledger } = this.#parts;
    const [digest, found] = random.pick([...ledger.live].filter(([, { readers }]) => readers === 0)) ?? [];
    if (!found) return;
    ledger.live.delete(digest);
    ledger.deletions += 1;
    const response = await this.#oci.delete(found.repository, 'manifests', digest);
    ledger.deletions += 1;
    if (response.status !== 202) throw new Error(`deleting ${found.repository}@${digest}: ${response.status} ${response.bodyText}`);
    ledger.remember(digest, found);
    ledger.count('deletes');
  }

  /** From the bin: gone for good, or whole. */
  async restore() {
    const { random, ledger, project, headers } = this.#parts;
    const bin = `${this.#oci.url}/api/v2.0/projects/${project}/bin`;
    const listed = await drained(await fetch(`${bin}?kind=artifact&page_size=20`, { headers }));
    if (listed.status !== 200) throw new Error(`the bin: ${listed.status} ${listed.bodyText}`);
    const entry = random.pick(JSON.parse(listed.bodyText));
    if (!entry) return;
    const response = await drained(await fetch(`${bin}/${entry.id}/restore`, { method: 'POST', headers }));
    if (![200, 404, 409].includes(response.status)) throw new Error(`restoring: ${response.status} ${response.bodyText}`);
    const found = ledger.deleted.get(entry.digest);
    if (response.status !== 200 || !found) return;
    ledger.deleted.delete(entry.digest);
    ledger.live.set(entry.digest, { ...found, readers: 0 });
    ledger.count('restored');
  }

  async pull() {
    const { random, ledger } = this.#parts;
    const [digest] = random.pick([...ledger.live]) ?? [];
    if (digest) await this.pullWhole(digest);
  }

  /** Reads an image that nobody deletes meanwhile; whatever is not there is a fault. */
  async pullWhole(digest) {
    const { ledger } = this.#parts;
    const found = ledger.live.get(digest);
    found.readers += 1;
    try {
      const { repository, image } = found;
      const manifest = await this.#oci.getManifest(repository, digest);
      if (manifest.status !== 200 || digestOf(Buffer.from(await manifest.arrayBuffer())) !== digest) ledger.faults.push(`${repository}@${digest}: the manifest is answered ${manifest.status}`);
      for (const blob of image.blobs) {
        const response = await this.#oci.getBlob(repository, blob.digest);
        const bytes = Buffer.from(await response.arrayBuffer());
        if (response.status !== 200 || digestOf(bytes) !== blob.digest) ledger.faults.push(`${repository}@${digest} lacks ${blob.digest}: ${response.status}, ${bytes.length} bytes`);
      }
      ledger.count('pulled');
    } finally {
      found.readers -= 1;
    }
  }

  /** Asks whether a blob is there, and then for the blob. */
  async look() {
    const { random, repositories } = this.#parts;
    await this.#lookAt(random.pick(repositories), this.#someLayers(1)[0]);
  }

  #lookAt(repository, { digest }) {
    const { ledger, inUse, race } = this.#parts;
    return inUse.while([digest], async () => {
      const before = [ledger.deletions, race.purges];
      const head = await this.#oci.head(repository, 'blobs', digest);
      if (head.status === 404) return;
      if (head.status !== 200) return void ledger.faults.push(`HEAD ${repository}@${digest}: ${head.status}`);
      const response = await this.#oci.getBlob(repository, digest);
      const bytes = Buffer.from(await response.arrayBuffer());
      ledger.count('looked');
      if (response.status === 200 && digestOf(bytes) === digest) return;
      // A repository may give a blob up when an artifact is deleted or leaves the bin; nothing else takes it from who was told of it.
      if (response.status === 404 && (ledger.deletions !== before[0] || race.purges !== before[1] || race.purges % 2 === 1)) return ledger.count('foundMissing');
      ledger.faults.push(`HEAD ${repository}@${digest} says that it exists, GET says ${response.status}, ${bytes.length} bytes`);
    });
  }

  /** Rather those that garbage collection wants just now. */
  #someLayers(count) {
    const { random, layers, race } = this.#parts;
    const wanted = layers.filter(({ digest }) => race.aged.includes(digest));
    return random.some(wanted.length >= count && random.happens(0.7) ? wanted : layers, count);
  }

  /** As clients do: only what is not there is sent; sometimes it is mounted. */
  async #bring(repository, blob, insist) {
    const { random, repositories, ledger } = this.#parts;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const head = insist ? undefined : await this.#oci.head(repository, 'blobs', blob.digest);
      if (head?.status === 200) return;
      if (head && head.status !== 404) throw new Error(`HEAD ${repository}@${blob.digest}: ${head.status}`);
      const from = random.pick(repositories);
      const mounted = from !== repository && random.happens(0.5) ? await this.#oci.mountBlob(repository, blob.digest, from) : undefined;
      if (mounted?.status === 201) return ledger.count('mounted');
      const pushed = mounted?.status === 202
        ? await this.#oci.finishUpload(repository, mounted.headers.get('location'), blob.digest, blob.bytes)
        : await this.#oci.pushBlob(repository, blob);
      if (pushed.status === 201) return;
      if (pushed.status !== 503) throw new Error(`blob to ${repository}: ${pushed.status} ${pushed.bodyText}`);
      ledger.count('refused');
      await delay(10 * attempt);
    }
    throw new Error(`blob to ${repository}: refused ${ATTEMPTS} times`);
  }
}

/** Small layers that everybody uses. */
export function sharedLayers(count, random) {
  return Array.from({ length: count }, (_, index) => blobOf(Buffer.concat([Buffer.from(`layer ${index} `), random.bytes(300 + index * 97)])));
}
