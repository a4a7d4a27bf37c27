import { Problem } from '@haven/api';

const LONGEST = 2048;
const SOMEWHERE = 'http://here.invalid';

/**
 * A path below our own address, with its query and fragment: where a browser may be sent after a login.
 *
 * @throws Problem BAD_REQUEST for anything that could lead to another host
 */
export function requiredReturnPath(text: string): string {
  const plain = text.length <= LONGEST && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text);
  const there = plain ? URL.parse(text, SOMEWHERE) : null;
  // Without its dots a path may begin with two slashes: whoever takes it up again would read a host.
  if (there?.origin !== SOMEWHERE || there.pathname.startsWith('//')) {
    throw new Problem('BAD_REQUEST', 'redirect_url must be a path on this server that begins with one slash, like /projects/7');
  }
  return text;
}
