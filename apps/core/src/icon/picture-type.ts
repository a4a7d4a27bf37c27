const TYPES: readonly (readonly [type: string, beginnings: readonly string[]])[] = [
  ['image/png', ['\x89PNG\r\n\x1a\n']],
  ['image/gif', ['GIF87a', 'GIF89a']],
  ['image/jpeg', ['\xff\xd8\xff']],
];

/** Which kind of picture the bytes begin like; undefined for anything that is no PNG, GIF or JPEG (an SVG could hold scripts). */
export function pictureType(bytes: Buffer): string | undefined {
  const beginning = bytes.toString('latin1', 0, 8);
  return TYPES.find(([, beginnings]) => beginnings.some((known) => beginning.startsWith(known)))?.[0];
}
