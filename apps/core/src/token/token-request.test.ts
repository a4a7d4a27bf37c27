import { describe, expect, test } from '@jest/globals';
import { readTokenForm, readTokenQuery } from './token-request.js';

describe('readTokenQuery', () => {
  test.each([
    [{ service: 'harbor-registry' }, []],
    [{ service: 'harbor-registry', scope: '' }, []],
    [{ service: 'harbor-registry', scope: 'a:b:c' }, ['a:b:c']],
    [{ service: 'harbor-registry', scope: ['a:b:c', '', 'd:e:f'], unknown: 'x' }, ['a:b:c', 'd:e:f']],
  ])('%j', (query, scopes) => {
    expect(readTokenQuery(query).scopes).toEqual(scopes);
  });

  test.each([{}, { service: 'x' }, { service: ['harbor-registry', 'harbor-registry'] }, { service: 'harbor-registry', account: ['a', 'b'] }, { service: 'harbor-registry', account: 'a'.repeat(256) }])(
    '%j is refused', (query) => {
      expect(() => readTokenQuery(query)).toThrow(expect.objectContaining({ status: 400 }));
    });
});

describe('readTokenForm', () => {
  test('reads one value per name', () => {
    expect(readTokenForm('grant_type=password&service=harbor-registry&username=a%2Bb&password=p+q&scope=x%3Ay%3Az').form)
      .toEqual({ grant_type: 'password', service: 'harbor-registry', username: 'a+b', password: 'p q', scope: 'x:y:z' });
  });

  test.each([['a=1&a=2', 400], ['service=harbor-registry', 400], ['grant_type=password&service=x', 400], ['x'.repeat(70_000), 413], [{ grant_type: 'password' }, 415], [undefined, 415]])('%j is refused', (body, status) => {
    expect(() => readTokenForm(body)).toThrow(expect.objectContaining({ status }));
  });

  test('is not led astray by names of the language', () => {
    expect(() => readTokenForm('__proto__=1&constructor=2&service=harbor-registry')).toThrow(expect.objectContaining({ status: 400 }));
  });
});
