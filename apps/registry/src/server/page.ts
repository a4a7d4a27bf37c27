import { nextLink, OciError } from '@haven/oci';
import { warning } from './warning.js';

export interface Page {
  /** Entries at most. */
  readonly size: number;
  /** The entry after which the page starts; '' for the first. */
  readonly last: string;
  /** The size asked for was more than a page may have. */
  readonly limited: boolean;
}

/** A page is never longer, whatever the client asks for; the Link header leads on (OCI Distribution 1.1, "Listing Tags"). */
export const LARGEST_PAGE = 1000;
const LONGEST_LAST = 1024;

/** Reads `n` and `last`. Anything but a plain decimal `n`, given once, is refused. */
export function pageFrom(query: URLSearchParams): Page {
  const sizes = query.getAll('n');
  const [size = String(LARGEST_PAGE)] = sizes;
  if (sizes.length > 1 || !/^\d{1,15}$/.test(size)) throw new OciError('PAGINATION_NUMBER_INVALID', { message: 'n must be a whole number, given once.' });
  const last = query.get('last') ?? '';
  if (last.length > LONGEST_LAST || last.includes('\0')) throw new OciError('PAGINATION_NUMBER_INVALID', { message: 'last must be an entry of the list.' });
  return { size: Math.min(Number(size), LARGEST_PAGE), last, limited: Number(size) > LARGEST_PAGE };
}

/** The headers of a page: where the next one is, given the last entry when there is one, and that it is shorter than was asked for. */
export function pageHeaders(path: string, page: Page, last: string | undefined): Record<string, string> {
  if (last === undefined) return {};
  return {
    link: nextLink(`${path}?n=${page.size}&last=${encodeURIComponent(last)}`),
    ...(page.limited ? { warning: warning(`a page has at most ${LARGEST_PAGE} entries; follow the Link header`) } : {}),
  };
}
