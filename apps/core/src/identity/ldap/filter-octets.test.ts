import { describe, expect, test } from '@jest/globals';
import { BerWriter } from 'ldapts';
import { octetFilter } from './filter-octets.js';

/** The filter as it goes over the wire, in hexadecimal. */
function sent(text: string): string {
  const writer = new BerWriter();
  octetFilter(text).write(writer);
  return writer.buffer.toString('hex');
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('a filter', () => {
  test('keeps octets that are no text', () => {
    expect(sent('(objectGUID=\\b6\\ea\\21\\f8\\00\\28)')).toContain('b6ea21f80028');
    expect(sent('(&(a=b)(|(c=d)(!(objectSid=\\ff\\fe))))')).toMatch(/fffe$/);
  });

  test('is the same whether text is written or escaped', () => {
    for (const [written, escaped] of [['(cn=José)', '(cn=Jos\\c3\\a9)'], ['(cn=J*é*n)', '(cn=J*\\c3\\a9*n)'], ['(cn>=é)', '(cn>=\\c3\\a9)'], ['(member:1.2.3:=cn=é)', '(member:1.2.3:=cn=\\c3\\a9)']] as const) {
      expect(sent(written)).toBe(sent(escaped));
      expect(sent(written)).toContain(hex('é'));
    }
    expect(sent('(cn=\u{1F600}\\2a)')).toContain(hex('\u{1F600}*'));
    expect(sent('(cn=*)')).toBe(`8702${hex('cn')}`);
  });

  test.each([
    ['(cn=a\\ff*)', 'no UTF-8'], ['(cn:1.2.3:=\\ff)', 'no UTF-8'], ['(cn=\\zz)', 'Invalid escaped hex'], ['(cn=a', 'Unbalanced'], ['((cn=a))', 'Invalid attribute'], ['(cn=a)(cn=b)', 'Unbalanced'],
  ])('%s is none', (text, why) => {
    expect(() => octetFilter(text)).toThrow(why);
  });
});
