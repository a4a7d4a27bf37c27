import { OciError } from '@haven/oci';

export interface Page {
  /** Entries at most. */
  readonly size: number;
  /** The entry after which the page starts; '' for the first. */
  readonly last: string;
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
  return { size: Math.min(Number(size), LARGEST_PAGE), last };
}
