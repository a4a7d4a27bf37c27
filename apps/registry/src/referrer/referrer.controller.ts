import type { OutgoingHttpHeaders } from 'node:http';
import type { Catalog, Referrer } from '@haven/catalog';
import { nextLink, OCI_IMAGE_INDEX, OciError, type Digest } from '@haven/oci';
import type { Exchange } from '../server/exchange.js';

const LARGEST_PAGE = 1000;
/** The answer is an index, so it keeps to the size that every client accepts for a manifest. */
const LARGEST_ANSWER = 3 * 1024 * 1024;
const LONGEST_TYPE = 255;

/** Lists manifests by their subject, computed from real subjects only (OCI Distribution 1.1, "Listing Referrers"). */
export class ReferrerController {
  readonly #catalog: Catalog;

  constructor(parts: { readonly catalog: Catalog }) {
    this.#catalog = parts.catalog;
  }

  async list(exchange: Exchange<{ kind: 'referrers'; repository: string; digest: Digest }>): Promise<void> {
    const { repository: name, digest: subject } = exchange.route;
    const artifactType = exchange.query.get('artifactType') ?? undefined;
    const last = exchange.query.get('last') ?? '';
    if ((artifactType?.length ?? 0) > LONGEST_TYPE || last.length > LONGEST_TYPE || `${artifactType}${last}`.includes('\0')) throw new OciError('UNSUPPORTED', { status: 400, message: 'artifactType or last is malformed.' });
    const repository = await this.#catalog.findRepository(name);
    const found = repository ? await this.#catalog.listReferrers(repository.id, { subject, last, limit: LARGEST_PAGE + 1, ...(artifactType === undefined ? {} : { artifactType }) }) : [];
    const page = fitting(found);
    const headers: OutgoingHttpHeaders = { 'content-type': OCI_IMAGE_INDEX };
    if (artifactType !== undefined) headers['oci-filters-applied'] = 'artifactType';
    const end = page.length < found.length ? page.at(-1) : undefined;
    if (end) headers['link'] = nextLink(`/v2/${name}/referrers/${subject}?last=${encodeURIComponent(end.digest)}${artifactType === undefined ? '' : `&artifactType=${encodeURIComponent(artifactType)}`}`);
    exchange.sendJson(200, headers, { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: page.map(descriptorOf) });
  }
}

/** As many as one answer holds; always at least one, or the list would never end. */
function fitting(found: readonly Referrer[]): Referrer[] {
  const page: Referrer[] = [];
  let bytes = 0;
  for (const referrer of found.slice(0, LARGEST_PAGE)) {
    bytes += Buffer.byteLength(JSON.stringify(descriptorOf(referrer)));
    if (bytes > LARGEST_ANSWER && page.length > 0) break;
    page.push(referrer);
  }
  return page;
}

function descriptorOf(referrer: Referrer): object {
  return {
    mediaType: referrer.mediaType,
    digest: referrer.digest,
    size: referrer.size,
    ...(referrer.artifactType === '' ? {} : { artifactType: referrer.artifactType }),
    ...(referrer.annotations ? { annotations: referrer.annotations } : {}),
  };
}
