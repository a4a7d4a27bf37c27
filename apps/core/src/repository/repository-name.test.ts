import { expect, test } from '@jest/globals';
import { repositoryInPath, repositoryNameIn } from './repository-name.js';

const project = { id: 1, name: 'alpha', public: false, roles: [] };

test.each([['app', 'alpha/app'], ['a/b', 'alpha/a/b'], ['a%2Fb', 'alpha/a/b'], ['a%2fb%2fc', 'alpha/a/b/c']])('%s', (parameter, name) => {
  expect(repositoryNameIn(project, parameter)).toBe(name);
});

test.each(['', '/', '..', '../bravo/app', '%2e%2e%2Fbravo', 'a%252Fb', 'A', 'a//b', 'a/', '%zz', 'a\0', 'a'.repeat(260)])('%j is refused', (parameter) => {
  expect(() => repositoryNameIn(project, parameter)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});

test('in an address its slashes are encoded twice', () => {
  expect(repositoryInPath('alpha/a/b')).toBe('a%252Fb');
});
