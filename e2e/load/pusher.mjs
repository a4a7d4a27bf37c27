import { setTimeout as delay } from 'node:timers/promises';
import { digestOf, imageOf, randomBlob } from '../image/synthetic.mjs';

const ATTEMPTS = 40;
const LONGEST_PAUSE_MS = 1_000;
/** How long one request may hang before the client gives it up, as a real client would. */
const REQUEST_MS = 20_000;

/** What the platform has confirmed with 201, and what was only tried. */
export class Ledger {
  /** digest → repository, for every blob that was answered 201. */
  blobs = new Map();
  /** Every blob that some client began to send. */
  tried = new Map();
  /** `repository:tag` → the manifest that was answered 201. */
  tags = new Map();
  attempts = 0;
  retries = 0;
}

/**
 * A client that pushes images and, as good clients do, tries again when the registry fails: with growing pauses, a
 * bounded number of times, going on with a half-sent upload where it can.
 */
export class Pusher {
  #oci;
  #ledger;
  #repository;
  #random;
  #count = 0;

  /** @param {import('../registry/oci-client.mjs').OciClient} oci @param {Ledger} ledger @param {string} repository @param {() => number} random in [0, 1) */
  constructor(oci, ledger, repository, random = Math.random) {
    this.#oci = oci;
    this.#ledger = ledger;
    this.#repository = repository;
    this.#random = random;
  }

  /** Pushes one image of one to three layers and tags it. Rejects when the retries did not help. */
  async pushOne() {
    const layers = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => randomBlob(this.#size()));
    const image = imageOf(layers);
    for (const blob of image.blobs) await this.#pushBlob(blob);
    const tag = `t${(this.#count += 1)}`;
    await this.#pushManifest(tag, image);
    // Half of the tags move at once: a tag that names something must name a complete image at every moment.
    if (this.#random() < 0.5) await this.#pushManifest('latest', image);
  }

  #size() {
    const dice = this.#random();
    if (dice < 0.6) return 1 + Math.floor(this.#random() * 20_000);
    if (dice < 0.9) return Math.floor(this.#random() * 500_000);
    return 1_000_000 + Math.floor(this.#random() * 3_000_000);
  }

  async #pushBlob(blob) {
    this.#ledger.tried.set(blob.digest, this.#repository);
    const chunked = blob.size > 30_000 && this.#random() < 0.6;
    const upload = { location: undefined, sent: 0 };
    await this.#insist(`blob ${blob.digest}`, () => (chunked ? this.#sendChunks(blob, upload) : this.#sendWhole(blob)));
    this.#ledger.blobs.set(blob.digest, this.#repository);
  }

  async #pushManifest(tag, image) {
    await this.#insist(`tag ${tag}`, () => this.#oci.putManifest(this.#repository, tag, image, { signal: AbortSignal.timeout(REQUEST_MS) }));
    this.#ledger.tags.set(`${this.#repository}:${tag}`, { repository: this.#repository, tag, image });
  }

  #sendWhole(blob) {
    return this.#oci.pushBlob(this.#repository, blob);
  }

  /** Three chunks; after a failure it asks how far the registry came and goes on from there. */
  async #sendChunks(blob, upload) {
    if (upload.location === undefined || !(await this.#resume(upload))) {
      upload.location = await this.#oci.startUpload(this.#repository);
      upload.sent = 0;
    }
    const chunk = Math.ceil(blob.size / 3);
    while (upload.sent < blob.size) {
      const response = await this.#oci.patch(this.#repository, upload.location, blob.bytes.subarray(upload.sent, upload.sent + chunk), upload.sent);
      if (response.status !== 202) return response;
      upload.location = response.headers.get('location');
      upload.sent = nextByte(response);
    }
    return this.#oci.finishUpload(this.#repository, upload.location, blob.digest);
  }

  async #resume(upload) {
    const response = await this.#oci.request('GET', upload.location, { scopes: [`repository:${this.#repository}:pull,push`] });
    await response.arrayBuffer();
    if (response.status === 404) return false;
    if (response.status !== 204) throw new Error(`upload status: ${response.status}`);
    upload.sent = nextByte(response);
    return true;
  }

  async #insist(what, send) {
    let last;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      this.#ledger.attempts += 1;
      last = await send().catch((error) => error);
      if (last.status === 201) return;
      if (isFinal(last)) break;
      this.#ledger.retries += 1;
      await delay(Math.min(50 * 2 ** Math.min(attempt, 6), LONGEST_PAUSE_MS) * (0.5 + this.#random()));
    }
    throw new Error(`${what} could not be pushed to ${this.#repository}: ${last.status ?? last.cause?.message ?? last.message} ${last.bodyText ?? ''}`);
  }
}

/** Answers that trying again cannot change. An unknown upload or a full chunk conflict is started anew. */
function isFinal(answer) {
  return answer.status !== undefined && answer.status < 500 && ![404, 408, 409, 416, 429].includes(answer.status);
}

/** `Range: 0-99` says that 100 bytes are there; `0-0` with nothing sent is how the specification writes an empty upload. */
function nextByte(response) {
  const last = Number(/^0-(\d+)$/.exec(response.headers.get('range') ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(last)) throw new Error(`upload answer without a Range header: ${response.status}`);
  return last === 0 ? 0 : last + 1;
}

/** Re-reads one blob. Resolves to a sentence when it is not exactly what its digest says. */
export async function faultOfBlob(oci, repository, digest) {
  const response = await oci.getBlob(repository, digest);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) return `${repository}@${digest}: ${response.status}`;
  const [algorithm] = digest.split(':');
  return digestOf(bytes, algorithm) === digest ? undefined : `${repository}@${digest}: the bytes have another digest`;
}

/** Re-reads one tag and all that its manifest names. Resolves to sentences about what is not right. */
export async function faultsOfTag(oci, repository, tag) {
  const response = await oci.getManifest(repository, tag);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) return [`${repository}:${tag}: ${response.status}`];
  const digest = response.headers.get('docker-content-digest');
  if (digestOf(bytes) !== digest) return [`${repository}:${tag}: the manifest has another digest than ${digest}`];
  const { config, layers } = JSON.parse(bytes.toString());
  const faults = await Promise.all([config, ...layers].map((entry) => faultOfBlob(oci, repository, entry.digest)));
  return faults.filter(Boolean);
}

