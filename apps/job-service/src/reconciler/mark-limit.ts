const SHARE = 0.1;
const FEW = 10;

/**
 * How many blobs a comparison may mark as lost when the catalog knows so many: a tenth of them, or ten where a tenth is less,
 * but then no more than half. More of them at once look like a wrong or half-mounted storage, and then every client would
 * be told to send everything again.
 */
export function mostToMark(known: number): number {
  return Math.max(Math.floor(known * SHARE), Math.min(FEW, Math.floor(known / 2)));
}
