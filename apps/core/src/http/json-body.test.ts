import { expect, test } from '@jest/globals';
import { textFault } from './json-body.js';

const faultOf = (text: string): string | undefined => textFault(Buffer.from(text), text, JSON.parse(text))?.message;

test('what is not UTF-8 is refused', () => {
  for (const bytes of [Buffer.from('"é"', 'latin1'), Buffer.from([0x22, 0xed, 0xa0, 0xbd, 0x22]), Buffer.from([0x22, 0xc0, 0x80, 0x22]), Buffer.from([0x22, 0xf0, 0x9f, 0x22])]) {
    expect(textFault(bytes, bytes.toString(), JSON.parse(bytes.toString()))?.message).toContain('not UTF-8');
  }
  expect(faultOf('{"é":"😀"}')).toBeUndefined();
});

test.each(['"\\ud83d"', '{"\\uDE00":1}', '[{"a":["x",{"b":"\\ude00\\ud83d"}]}]', '{"a":"\\ud83d\\ud83d\\ude00"}'])('half of a character in %s is refused', (text) => {
  expect(faultOf(text)).toContain('half of a surrogate pair');
});

test.each(['"\\ud83d\\ude00"', '{"a":"\\\\ud83d"}', '[1,null,true,"\\uD7FF\\uE000"]', `${'['.repeat(200_000)}"\\ud83d\\ude00"${']'.repeat(200_000)}`])('%.40s is taken', (text) => {
  expect(faultOf(text)).toBeUndefined();
});
