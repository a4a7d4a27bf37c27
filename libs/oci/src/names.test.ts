import { describe, expect, test } from '@jest/globals';
import { isProjectName, isRepositoryName, isTag, projectOf } from './names.js';

/** The grammar as the OCI Distribution Spec prints it, to compare with. Only used on short texts. */
const SPEC_NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const SPEC_TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

describe('isRepositoryName', () => {
  test.each(['library/nginx', 'a/b', '0/0', 'a/b/c/d/e', 'a.b/c_d', 'a__b/c-d', 'a---b/c', 'p/blobs/uploads', 'p/manifests', `${'a'.repeat(127)}/${'b'.repeat(127)}`])('accepts %s', (name) => {
    expect(isRepositoryName(name)).toBe(true);
  });

  test.each([
    'alpha', '', '/', 'alpha/', '/app', 'alpha//app', 'alpha/..', 'alpha/./x', 'alpha/a..b/../x', 'alpha/a..b', 'alpha/_uploads', 'alpha/.git',
    'alpha%2Fapp', 'Alpha/app', 'alpha/App', '\u0430lpha/app', 'alpha/app.', 'alpha__/app', 'alpha/app-', 'alpha/a___b', 'alpha/a._b', 'alpha/a-_b', 'alpha/a_-b',
    'alpha/app ', ' alpha/app', 'alpha/app\n', 'alpha/app\0', 'alpha\\app', 'alpha/\u00e9', 'alpha/e\u0301', 'alpha/\ufb01', 'alpha/ａ', 'alpha/app:1', 'alpha/app@x',
  ])('C-02, C-16: refuses %j', (name) => {
    expect(isRepositoryName(name)).toBe(false);
  });

  test('takes 255 characters and no more', () => {
    expect(isRepositoryName(`p/${'a'.repeat(253)}`)).toBe(true);
    expect(isRepositoryName(`p/${'a'.repeat(254)}`)).toBe(false);
  });

  test('agrees with the grammar of the spec on every short text', () => {
    const texts = textsOf('a/._-A', 6);
    expect(texts.filter(isRepositoryName)).toEqual(texts.filter((text) => SPEC_NAME.test(text) && text.includes('/')));
  });
});

describe('isProjectName', () => {
  test.each(['library', 'a', '0', 'my-team', 'a.b_c-d', 'a'.repeat(255)])('accepts %s', (name) => {
    expect(isProjectName(name)).toBe(true);
  });

  test.each(['', 'a/b', 'A', 'a--b', 'a__b', 'a..b', '-a', 'a-', '.a', '_', 'a b', '..', '__proto__', 'a'.repeat(256)])('refuses %j', (name) => {
    expect(isProjectName(name)).toBe(false);
  });
});

describe('isTag', () => {
  test.each(['latest', '1.25', 'V1_2-x', '_', '0', '__proto__', 'a'.repeat(128)])('accepts %s', (tag) => {
    expect(isTag(tag)).toBe(true);
  });

  test.each(['', '.', '..', '.hidden', '-x', 'a'.repeat(129), 'a/b', 'a:b', 'a b', 'a%20', 'a\n', 'ä', 'a\0'])('refuses %j', (tag) => {
    expect(isTag(tag)).toBe(false);
  });

  test('agrees with the grammar of the spec on every short text', () => {
    const texts = textsOf('aZ0._-/', 4);
    expect(texts.filter(isTag)).toEqual(texts.filter((text) => SPEC_TAG.test(text)));
  });
});

test('the project is the first component', () => {
  expect(projectOf('library/nginx/alpine')).toBe('library');
});

/** Every text over the alphabet up to this length. */
function textsOf(alphabet: string, length: number): string[] {
  let longest = [''];
  const all = [''];
  for (let size = 1; size <= length; size++) {
    longest = longest.flatMap((text) => [...alphabet].map((letter) => text + letter));
    all.push(...longest);
  }
  return all;
}
