/** Repositories that live on: one with few tags and one with very many, both with artifacts that no tag names any more. */
export const FEW_TAGS = 10;
export const MANY_TAGS = 100_000;

/**
 * What an installation of `blobs` blobs consists of. Four fifths are garbage; the rest are the manifests and layers of two
 * repositories. Each entry of `kinds` stands for blobs that hold "<text> <number>", numbered from 1 on.
 */
export function installationOf(blobs) {
  const untagged = Math.min(1000, Math.ceil(blobs / 200));
  const many = Math.max(1, Math.floor(blobs / 10) - 2 * untagged);
  const repositories = [
    { name: 'garbage-few', tags: FEW_TAGS, tagged: FEW_TAGS, untagged },
    { name: 'garbage-many', tags: MANY_TAGS, tagged: many, untagged },
  ];
  const kinds = [{ text: 'shared', count: 2 }, ...repositories.flatMap(({ name, tagged, untagged: without }) => [
    { text: `${name} manifest`, count: tagged }, { text: `${name} layer`, count: tagged },
    { text: `${name} untagged manifest`, count: without }, { text: `${name} untagged layer`, count: without },
  ])];
  const live = kinds.reduce((sum, { count }) => sum + count, 0);
  const garbage = blobs - live;
  if (garbage < 1000) throw new Error(`${blobs} blobs are too few to collect garbage among`);
  return { blobs, untagged, repositories, garbage, kinds: [...kinds, { text: 'garbage', count: garbage }] };
}

/** SQL for the text in the blob of this number. */
export const contentSql = (text, number) => `('${text} ' || ${number})`;
/** SQL for its digest. */
export const digestSql = (text, number) => `('sha256:' || encode(sha256(convert_to(${contentSql(text, number)}, 'UTF8')), 'hex'))`;
