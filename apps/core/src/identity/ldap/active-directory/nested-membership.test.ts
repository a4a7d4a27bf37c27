import { expect, test } from '@jest/globals';
import { followsMemberships, inChainFilter } from './nested-membership.js';

test('only servers that say what they are are asked for memberships through others', () => {
  expect(followsMemberships(['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1670'])).toBe(true);
  expect(followsMemberships(['1.2.840.113556.1.4.1851'])).toBe(true);
  expect(followsMemberships([])).toBe(false);
  expect(followsMemberships(['1.2.840.113556.1.4.16700', '1.3.6.1.4.1.4203'])).toBe(false);
});

test('names of entries stay names in the filter', () => {
  expect(inChainFilter(['CN=Ann,DC=x'])).toBe('(member:1.2.840.113556.1.4.1941:=CN=Ann,DC=x)');
  expect(inChainFilter(['CN=a)(cn=*,DC=x', 'CN=b\\,c,DC=x'])).toBe('(|(member:1.2.840.113556.1.4.1941:=CN=a\\29\\28cn=\\2a,DC=x)(member:1.2.840.113556.1.4.1941:=CN=b\\5c,c,DC=x))');
});
